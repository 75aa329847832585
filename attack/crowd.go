//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// crowdRole is the first argument of an attacker made of this program.
const crowdRole = "crowd"

// crowd is many clients of one kind in one process.
type crowd struct {
	kind    string
	address string
	last    time.Duration
	first   int // of its loopback addresses
	sources int // how many of them it uses in turn
	n       int // connections
}

// tally is what a crowd says at its end.
type tally struct {
	Opened, Refused, Failed int
}

func (c crowd) argv() []string {
	return []string{crowdRole, c.kind, c.address, c.last.String(), strconv.Itoa(c.first), strconv.Itoa(c.sources), strconv.Itoa(c.n)}
}

// crowdMain is the attacker's process.
func crowdMain(ctx context.Context, args []string, stdout io.Writer) error {
	var c crowd
	var last string
	if len(args) != 6 {
		return errors.New("crowd is for the program's own use")
	}
	c.kind, c.address, last = args[0], args[1], args[2]
	to, err := netip.ParseAddrPort(c.address)
	for i, n := range []*int{&c.first, &c.sources, &c.n} {
		var e error
		*n, e = strconv.Atoi(args[3+i])
		err = errors.Join(err, e)
	}
	c.last, _ = time.ParseDuration(last)
	if err != nil || c.sources < 1 {
		return fmt.Errorf("cannot use the arguments: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, c.last)
	defer cancel()
	var t tally
	say, holds := said[c.kind]
	switch {
	case c.kind == "flood":
		t = c.flood(ctx, to)
	case c.kind == "unread":
		t = c.hold(ctx, to, say, 4096)
	case c.kind == "hellos":
		t = c.hellos(ctx, to)
	case c.kind == "slow-hellos":
		hello := clientHello()
		t = c.hold(ctx, to, string(hello[:len(hello)/2]), 0)
	case secureKinds[c.kind] != nil:
		t = c.handshakes(ctx, to, secureKinds[c.kind])
	case holds:
		t = c.hold(ctx, to, say, 0)
	default:
		return fmt.Errorf("no crowd is called %s", c.kind)
	}
	return json.NewEncoder(stdout).Encode(t)
}

// said is what a client of each kind says before it falls silent.
var said = map[string]string{
	"idle":   "",
	"heads":  "G",
	"bodies": "POST " + echoPath + " HTTP/1.1\r\nHost: attack.test\r\nContent-Length: 5000\r\n\r\nhalf",
	"page":   "GET /stats HTTP/1.1\r\nHost: attack.test\r\n\r\n",
	"unread": "GET " + hugePath + " HTTP/1.1\r\nHost: attack.test\r\n\r\n",
}

// fewEnds is how many connections of a flood are reset for one that ends
// properly, which the kernel remembers for minutes.
const fewEnds = 8

// flood connects and closes, most often by a reset.
func (c crowd) flood(ctx context.Context, to netip.AddrPort) (t tally) {
	for i := 0; ctx.Err() == nil; i++ {
		fd, err := c.dial(to, i, 0)
		if err != nil {
			t.Failed++
			continue
		}
		t.Opened++
		if i%fewEnds == 0 {
			_ = unix.Close(fd)
		} else {
			reset(fd)
		}
	}
	return t
}

// hold opens all connections, says something on each or nothing, and keeps
// them until the time is over, whatever comes.
func (c crowd) hold(ctx context.Context, to netip.AddrPort, say string, window int) (t tally) {
	var fds []int
	for i := 0; i < c.n && ctx.Err() == nil; i++ {
		fd, err := c.dial(to, i, window)
		if err != nil {
			t.Failed++
			continue
		}
		t.Opened++
		fds = append(fds, fd)
		_, _ = unix.Write(fd, []byte(say)) // one that was refused is counted below
	}
	<-ctx.Done()
	for _, fd := range fds {
		if c.silent() && refused(fd) {
			t.Refused++
		}
		reset(fd)
	}
	return t
}

// silent tells whether rgate has no reason to answer c's clients.
func (c crowd) silent() bool { return slices.Contains(silentKinds, c.kind) }

var silentKinds = []string{"idle", "heads", "bodies", "slow-hellos"}

// reset closes at once, leaving no trace: neither ports nor the kernel's table
// of connections would last for the next attack.
func reset(fd int) {
	_ = unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
	_ = unix.Close(fd)
}

// refused tells whether rgate has answered or closed a silent connection.
func refused(fd int) bool {
	var b [1]byte
	_, _, err := unix.Recvfrom(fd, b[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
	return !errors.Is(err, unix.EAGAIN)
}

// dial connects from the crowd's ith address; window is the receive buffer's
// size, 0 for the usual one.
func (c crowd) dial(to netip.AddrPort, i, window int) (int, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	from := &unix.SockaddrInet4{Addr: netip.MustParseAddr(source(c.first + i%c.sources)).As4()}
	err = unix.SetsockoptInt(fd, unix.SOL_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1)
	if window > 0 {
		err = errors.Join(err, unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, window))
	}
	// Bounds the connect, which would try for minutes where nobody accepts.
	err = errors.Join(err, unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_SNDTIMEO, &unix.Timeval{Sec: 1}))
	if err == nil {
		err = unix.Bind(fd, from)
	}
	if err == nil {
		err = unix.Connect(fd, &unix.SockaddrInet4{Port: int(to.Port()), Addr: to.Addr().As4()})
	}
	if err != nil {
		_ = unix.Close(fd)
		return -1, err
	}
	return fd, nil
}
