// Package h1 is the grammar of HTTP/1.1 (RFC 9110, RFC 9112), strict, and
// nothing else: no I/O, no goroutines, nothing of rgate.
//
// Everything works on the caller's []byte and hands back slices of it. Heads
// are parsed in one pass from left to right, and every refusal depends only on
// the bytes up to it, so the outcome never depends on how the bytes were cut
// into reads. A parse that runs out of bytes says so and resumes where it
// stopped once more have come.
//
// The rule for what is refused: whatever two implementations could read in two
// ways. docs/parser.md lists every refusal with its RFC section.
//
// The returned slices are read-only and live as long as the buffer's bytes
// stay in place.
package h1
