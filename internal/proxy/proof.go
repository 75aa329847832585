package proxy

import "bytes"

// proofs are where an authority for certificates comes to look whether a name is
// this machine's (RFC 8555 §8.3).
var proofs = []byte("/.well-known/acme-challenge/")

// Prove has g answer there with what f gives for a token; what it has nothing
// for is a request like any other. f never waits. It is to be said before the
// first request.
func (g *Gate) Prove(f func(token []byte) []byte) { g.prove = f }

// proven answers an authority. It is not recorded: nobody but rgate asked for it.
func (x *Exchange) proven(prove func(token []byte) []byte) bool {
	token, ok := bytes.CutPrefix(x.Target, proofs)
	if !ok {
		return false
	}
	key := prove(token)
	if key == nil {
		return false
	}
	x.ended = true
	x.reply(&Answer{Status: 200, ContentType: "application/octet-stream", Body: key})
	return true
}
