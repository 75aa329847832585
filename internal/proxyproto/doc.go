// Package proxyproto is the grammar of the PROXY protocol, versions 1 and 2
// (HAProxy's proxy-protocol.txt), and nothing else: no I/O,
// nothing of rgate.
//
// A header is what a proxy says first on a connection: whom it speaks for. One
// that is not as the specification has it is refused, as are those that are larger
// than anybody needs. What a header tells besides addresses is skipped, but for its
// checksum, which has to be right where it is there.
package proxyproto
