// Package load asks one address for answers, from one thread on epoll, and
// says how many came and how long they took. It is meant to cost less than any
// gateway it measures, so that one core carries it together with the origin.
//
// A closed loop keeps every connection busy: it finds out how much a gateway
// can do. An open loop asks at a constant rate, and measures from the moment a
// request was due, so that a gateway that stalls pays for all it kept waiting.
package load
