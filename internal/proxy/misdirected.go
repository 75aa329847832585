package proxy

// Secured is a client's connection with TLS.
type Secured interface {
	// Belongs tells whether a request for the host may come on it.
	Belongs(host []byte) bool
	// ClientFields is what an endpoint is told of the client's certificate: field
	// lines, each with the end of the line before it; nil where there is none.
	ClientFields() []byte
}

var answerMisdirected = plain(421, ReasonMisdirected, "this connection was made for another host\n")

// misdirected answers a request for a host that its connection was not made for:
// the client has not seen that host's certificate.
func (x *Exchange) misdirected() bool {
	if x.Secured.Belongs(x.Host) {
		return false
	}
	x.Table.Unmatched.Begin()
	x.reply(answerMisdirected)
	return true
}
