// Package wire words messages: the head that goes to an endpoint, the heads
// that go to a client, and rgate's own answers. It holds the one list of fields
// that are dropped, kept and set on the way, and the limits that both engines
// share. It does no I/O and allocates nothing, save for answers that are no
// constants.
package wire
