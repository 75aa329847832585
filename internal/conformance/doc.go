// Package conformance holds the one table of raw bytes that both engines must
// treat alike: requests and answers as they come off the wire, what must become
// of them, and the section that says so. It has tests only.
package conformance
