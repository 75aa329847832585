// Package acme gets certificates from an authority by RFC 8555, and renews them.
// A Manager has those of one configuration: its one goroutine knows what each
// name waits for, and hands out jobs. Handshakes read what there is, and never
// wait. Keys, accounts and locks are certmagic's files; orders are acmez's.
package acme
