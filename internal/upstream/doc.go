// Package upstream holds what rgate knows of its endpoints while it runs: who
// is in flight, who is well, who drains, and which one takes the next request.
//
// Everything on the request path is an atomic: picking neither locks nor
// allocates. Endpoints outlive tables: a rebuilt table takes over those that
// did not change, so counts, ejections and drains survive reloads.
package upstream
