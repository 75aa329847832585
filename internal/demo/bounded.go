package demo

import (
	"context"
	"errors"
	"net"
	"strings"
)

// mostAnswers bounds what an engine sends on one connection, the messages of a
// build included. A demo has a use for a hundredth of that.
const mostAnswers = 16 << 20

var errTalkative = errors.New("the engine sends more than a demo can have asked for")

// bounded is a connection that fails once too much came on it: the client, and
// whoever reads a build's messages, take what comes.
type bounded struct {
	net.Conn
	left int
}

// dialBounded connects to a host such as unix:///var/run/docker.sock.
func dialBounded(ctx context.Context, host string) (net.Conn, error) {
	network, address, _ := strings.Cut(host, "://")
	c, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return &bounded{c, mostAnswers}, nil
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left == 0 {
		return 0, errTalkative
	}
	n, err := b.Conn.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}
