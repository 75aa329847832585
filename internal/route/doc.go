// Package route compiles a configuration and the views of its sources into an
// immutable Table: what the request path reads through one atomic pointer.
package route
