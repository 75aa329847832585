// Package cert holds the certificates that TLS listeners serve, and chooses
// among them by the name that a client asks for. A Store has one immutable Set
// at a time, behind an atomic pointer; it is read again where files change.
package cert
