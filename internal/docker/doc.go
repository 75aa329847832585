// Package docker watches a Docker engine and tells which of its containers are
// endpoints of which backend. It is the only package that knows the engine's
// API, of which it uses GET requests alone.
//
// What it knows of a container comes from three sides, each with its own file:
// the list and the inspect answer (facts.go), what events told since that list
// was asked for (memory.go), and whether the port accepts connections
// (prober.go). judge.go puts the first two together without any I/O; watch.go
// runs it all in one goroutine.
package docker
