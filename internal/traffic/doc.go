// Package traffic is the load of soak and attack: requests at a constant rate,
// whatever becomes of those before, from a client that does what RFC 9110 and
// 9112 ask of one, and a check of each answer against its request.
package traffic
