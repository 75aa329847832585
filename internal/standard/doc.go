// Package standard is the engine that runs everywhere: a goroutine for each
// client connection, which may wait, and a pool of connections to each endpoint.
// It words messages with package wire and leaves every decision to package proxy,
// as the loop does.
//
// How a request goes through: client.serve reads a head and asks the gate. A
// request that is to be forwarded makes attempts, each on a connection of its
// own. During one, two goroutines share the work: the client's own moves the
// answer from the endpoint to the client, and a second one, of the type upload,
// moves what is left of the request's body the other way and then watches whether
// the client leaves.
package standard
