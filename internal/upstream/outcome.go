package upstream

import (
	"errors"
	"syscall"
)

// Outcome is how one attempt on one endpoint ended, as far as the engine
// could see.
type Outcome uint8

// The outcomes of an attempt.
const (
	None            Outcome = iota // no attempt was made yet
	Answered                       // a valid response head arrived
	ConnectFailed                  // refused or not to be reached: provably nothing was sent, and no time lost
	Reset                          // the connection was closed before anything was sent on it
	ConnectTimedOut                // no connection in time: provably nothing was sent, but the client waited
	Stale                          // a kept-alive connection had been closed before a byte of the response
	Broken                         // the connection died after request bytes were sent, before a response head
	TimedOut                       // no response head in time
	Invalid                        // what came was not HTTP
	Canceled                       // the client went away first
	Truncated                      // a response head arrived, and its body broke off: not the client's doing
	Untouched                      // the endpoint says that it did not look at the request (RFC 9113 §8.7)
	Unable                         // no connection, for want of a port, a descriptor or memory here: the endpoint is not to blame
	Refused                        // a call of gRPC was answered with Unavailable and nothing else, and is tried elsewhere
	Expired                        // the time that the client gave its call is over
)

var outcomeNames = [...]string{"none", "answered", "connect failed", "connection reset unused", "connecting timed out", "stale connection", "connection broken", "timed out", "invalid response", "canceled", "response broken off", "refused unprocessed", "no means to connect", "unavailable", "deadline exceeded"}

// String is the outcome in words, for logs.
func (o Outcome) String() string { return outcomeNames[o] }

// local are the errors of connecting that say that this host has no port, no
// descriptor or no memory left.
var local = []error{syscall.EADDRNOTAVAIL, syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM}

// Undialled is how an attempt ended for which connecting failed so.
func Undialled(err error) Outcome {
	for _, e := range local {
		if errors.Is(err, e) {
			return Unable
		}
	}
	if errors.Is(err, syscall.ECONNRESET) {
		return Reset
	}
	return ConnectFailed
}
