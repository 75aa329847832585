// Package demo shows rgate at work: it makes backends, serves the usual config
// in front of them, tells what to try, and removes all that it made.
//
// The backends are containers of an image made of rgate's own binary, so no
// registry is needed. Where that cannot be, they run in this process, and the
// demo says so. Only the demo writes to an engine: discovery, which it shows,
// goes on with read-only requests of its own.
package demo
