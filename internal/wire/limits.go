package wire

import (
	"rgate/internal/config"
	"rgate/internal/h1"
	"rgate/internal/proxy"
)

// RequestLimits bounds request heads.
func RequestLimits(l *config.Limits) h1.Limits {
	return h1.Limits{MaxHead: l.HeaderBytes, MaxFields: l.HeaderCount}
}

// ResponseLimits bounds the heads of endpoints' answers.
func ResponseLimits(l *config.Limits) h1.Limits {
	return h1.Limits{MaxHead: l.ResponseHeaderBytes, MaxFields: l.ResponseHeaderCount}
}

// Fault is why an endpoint's answer cannot be used, for proxy.Exchange.Fault:
// where a limit was hit, it names the key.
func Fault(err error) error {
	switch err {
	case h1.ErrHeadSize:
		return proxy.ErrResponseHeaderBytes
	case h1.ErrFieldCount:
		return proxy.ErrResponseHeaderCount
	}
	return err
}

// keptRequest bounds a request, head and body, that is kept to be sent again. It
// fits the buffer that it is read into.
const keptRequest = 16 << 10

// Keeps tells whether the body of a request with a head of that size is kept, as
// it comes, until the exchange ends, so that it can be sent again.
func Keeps(r *h1.Request, head int) bool {
	return r.ContentLength > 0 && r.ContentLength <= int64(keptRequest-head)
}

// MinBodyRoom is what the buffer that a body in chunks is read into has at
// least: a trailer section must fit in whole.
const MinBodyRoom = h1.DefaultMaxTrailer + 1<<10
