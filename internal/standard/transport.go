package standard

import (
	"context"
	"net"
	"net/http"
	"time"

	"rgate/internal/config"
	"rgate/internal/upstream"
)

const (
	idleConns        = 1024             // to one endpoint
	idleTime         = 30 * time.Second // of a connection to an endpoint
	continuePatience = time.Second      // for 100 Continue; the body goes after it anyway
	maxResponseHead  = 256 << 10
)

// transport is the connections to one endpoint.
type transport struct {
	*http.Transport
	timeouts config.Timeouts
}

// transportTo is the transport to ep. A reload that changed the timeouts
// makes a new one; what is in flight goes on with the old.
func (e *Engine) transportTo(ep *upstream.Endpoint, timeouts config.Timeouts) *transport {
	known, ok := e.transports.Load(ep)
	if ok && known.(*transport).timeouts == timeouts {
		return known.(*transport)
	}
	t := newTransport(timeouts)
	if !ok {
		if winner, lost := e.transports.LoadOrStore(ep, t); lost {
			return winner.(*transport)
		}
		return t
	}
	if e.transports.CompareAndSwap(ep, known, t) {
		known.(*transport).CloseIdleConnections()
	}
	return t
}

func newTransport(timeouts config.Timeouts) *transport {
	dialer := &net.Dialer{Timeout: timeouts.Connect, KeepAlive: 30 * time.Second}
	return &transport{timeouts: timeouts, Transport: &http.Transport{
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			c, err := dialer.DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return newUpstreamConn(c), nil
		},
		DisableCompression:     true,
		MaxIdleConns:           idleConns,
		MaxIdleConnsPerHost:    idleConns,
		IdleConnTimeout:        idleTime,
		ResponseHeaderTimeout:  timeouts.ResponseHeader,
		ExpectContinueTimeout:  continuePatience,
		MaxResponseHeaderBytes: maxResponseHead,
		WriteBufferSize:        4 << 10,
		ReadBufferSize:         8 << 10,
	}}
}
