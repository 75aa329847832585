//go:build race

package loop

// raced tells whether the race detector slows everything down.
const raced = true
