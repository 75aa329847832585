//go:build linux

package origin

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// pollInterval is how often a server without traffic looks whether to stop.
const pollInterval = 200 * time.Millisecond

var (
	headEnd      = []byte("\r\n\r\n")
	lengthFields = [][]byte{[]byte("\r\nContent-Length: "), []byte("\r\ncontent-length: ")}
	codingFields = [][]byte{[]byte("\r\nTransfer-Encoding: "), []byte("\r\ntransfer-encoding: ")}

	errClosed  = errors.New("closed by the other side")
	errRequest = errors.New("cannot answer such a request")
)

// connection is one connection of a gateway.
type connection struct {
	fd       int
	partial  []byte // of a request's head that came in pieces
	bodyLeft int    // of the request
	waiting  bool   // the answer is due once the request's body is here
	answer   []byte
	unsent   []byte // of the answers so far
}

// write sends an answer, after those that still wait.
func (c *connection) write(answer []byte) error {
	if len(c.unsent) > 0 { // pipelined: canned answers are not to be written into
		c.unsent = append(bytes.Clone(c.unsent), answer...)
		return nil
	}
	c.unsent = answer
	return c.flush()
}

func (c *connection) flush() error {
	for len(c.unsent) > 0 {
		n, err := unix.Write(c.fd, c.unsent)
		if errors.Is(err, unix.EAGAIN) {
			return nil
		}
		if err != nil {
			return err
		}
		c.unsent = c.unsent[n:]
	}
	return nil
}

// canned is an answer with a body, and the fields that servers usually send.
func canned(body []byte) []byte {
	return fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nServer: origin\r\nDate: Tue, 24 Nov 2026 12:00:00 GMT\r\n"+
		"Content-Type: application/octet-stream\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
}

// bodySize is the length of a request's body. Gateways send those of known
// length as such, and no others are sent here.
func bodySize(head []byte) (int, error) {
	for _, name := range lengthFields {
		if at := bytes.Index(head, name); at >= 0 {
			digits, _, _ := bytes.Cut(head[at+len(name):], []byte("\r"))
			if n := number(digits); n >= 0 {
				return n, nil
			}
			return 0, errRequest
		}
	}
	for _, name := range codingFields {
		if bytes.Contains(head, name) {
			return 0, fmt.Errorf("%w: transfer-encoding", errRequest)
		}
	}
	return 0, nil
}

// number is what decimal digits say; -1 if they are none.
func number(digits []byte) int {
	if len(digits) == 0 || len(digits) > 9 {
		return -1
	}
	n := 0
	for _, d := range digits {
		if d < '0' || d > '9' {
			return -1
		}
		n = n*10 + int(d-'0')
	}
	return n
}
