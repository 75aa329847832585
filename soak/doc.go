// The soak holds a steady load on rgate while containers, the Docker engine,
// the configuration and rgate itself change under it, and counts what is lost.
// `make soak` runs it; `make compare-deploys` shows what nginx and Caddy lose
// by the same deploys.
//
// All is real: the binary, the engine, the containers. The load is an open
// loop on the loopback interface, and every answer is checked against its
// request. What may be lost, and what proves that it could not be helped, is
// in package verdict; anything else that fails makes the soak fail.
package main
