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

// MinBodyRoom is what the buffer that a body in chunks is read into has at
// least: a trailer section must fit in whole.
const MinBodyRoom = h1.DefaultMaxTrailer + 1<<10
