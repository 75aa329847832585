package config

import "time"

// Timeouts bound what a peer can keep rgate waiting for.
type Timeouts struct {
	Connect        time.Duration // to dial an endpoint
	ResponseHeader time.Duration // from the request sent to the response head
	Idle           time.Duration // a kept-alive client connection without a request
	ClientHeader   time.Duration // for a client to send a request head
	GRPC           time.Duration // for a call of gRPC, from its head to its end; 0 for as long as it says itself
}

// Limits bound what a stranger can make grow, or an endpoint. 0 is no limit,
// save for those of heads, which always bound.
type Limits struct {
	HeaderBytes           int // of a request head
	HeaderCount           int // fields of a request head
	ResponseHeaderBytes   int // of the head of an endpoint's answer
	ResponseHeaderCount   int // fields of that
	Connections           int // client connections at once
	ConnectionsPerClient  int // of those, from one client address
	Handshakes            int // of TLS, under way at once
	RequestsPerConnection int // before rgate closes a kept-alive connection
	Streams               int // of an HTTP/2 connection at once
	BodyProgress          BodyProgress
}

// BodyProgress is the least a request body must move while rgate waits for it:
// Bytes in each Within. An upload may last for hours as long as it moves.
type BodyProgress struct {
	Bytes  int // 0 for no such demand
	Within time.Duration
}
