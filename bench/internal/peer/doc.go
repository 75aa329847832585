// Package peer starts the gateways that are compared, each as a process of its
// own on one processor, with the same three routes to one origin and with
// comparable features: keep-alive on both sides, no access log, forwarding
// headers and a request id for the origin.
package peer
