// Package handover is how this process gets on with those around it: the one
// before it, whose sockets it inherits; the one after it, which it starts and
// hands its sockets to; and the service manager above it, which wants to know
// how things stand. Sockets pass as systemd passes them, so one piece of code
// takes them from systemd and from a predecessor. It knows nothing of HTTP.
package handover
