//go:build race

package gateway

// raced tells whether the race detector slows everything down.
const raced = true
