// Package faults holds tests of what both engines do when connections to
// endpoints fail below HTTP: resets, silence, halves, garbage.
package faults
