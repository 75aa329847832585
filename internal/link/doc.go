// Package link is how a backend's endpoints are spoken to where that is not
// HTTP/1.1 in the clear: TLS, and what is shown and believed there. A Link
// belongs to the endpoints of one backend; whoever connects to one of them has
// the Link make of the connection what is spoken on it.
package link
