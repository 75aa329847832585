//go:build linux

package main

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// strangerConfig is an attacker's TLS: whose certificate it is does not matter.
func strangerConfig() *tls.Config {
	return &tls.Config{ServerName: secureHost, InsecureSkipVerify: true}
}

// clientHello is a whole one, with a key share for each key exchange of Go's.
func clientHello() []byte {
	ours, theirs := net.Pipe()
	defer ours.Close()
	go func() {
		_ = tls.Client(theirs, strangerConfig()).Handshake()
		theirs.Close()
	}()
	b := make([]byte, 16<<10)
	n, _ := ours.Read(b) // of a pipe, which gives what one write had
	return b[:n]
}

// hellos begins handshakes and lets each be for a while, so that it is answered.
func (c crowd) hellos(ctx context.Context, to netip.AddrPort) (t tally) {
	hello := clientHello()
	open := make([]int, c.n)
	for i := 0; ctx.Err() == nil; i++ {
		at := &open[i%c.n]
		if *at > 0 {
			reset(*at)
			*at = 0
		}
		fd, err := c.dial(to, i, 0)
		if err != nil {
			t.Failed++
			continue
		}
		_, _ = unix.Write(fd, hello) // one that is refused was opened all the same
		*at = fd
		t.Opened++
	}
	for _, fd := range open {
		if fd > 0 {
			reset(fd)
		}
	}
	return t
}

// secureKinds are what clients do once their handshake is done.
var secureKinds = map[string]func(context.Context, *stranger){
	"handshakes":    func(context.Context, *stranger) {},
	"renegotiation": func(_ context.Context, s *stranger) { s.renegotiate() },
	"records": func(ctx context.Context, s *stranger) {
		request := []byte("POST " + echoPath + " HTTP/1.1\r\nHost: " + secureHost + "\r\nContent-Length: 1000000000\r\n\r\n")
		for i := 0; ctx.Err() == nil; i = min(i+1, len(request)-1) {
			if _, err := s.Write(request[i : i+1]); err != nil {
				return
			}
		}
	},
}

// stranger is one client with TLS.
type stranger struct {
	*tls.Conn
	tap *tap
}

// handshakes has n clients do handshakes one after the other, and something then.
func (c crowd) handshakes(ctx context.Context, to netip.AddrPort, then func(context.Context, *stranger)) (t tally) {
	var mu sync.Mutex
	count := func(n *int) {
		mu.Lock()
		defer mu.Unlock()
		*n++
	}
	var all sync.WaitGroup
	for i := range c.n {
		from := &net.TCPAddr{IP: net.ParseIP(source(c.first + i%c.sources))}
		all.Go(func() {
			for ctx.Err() == nil {
				s, err := c.meet(ctx, from, to)
				if err != nil {
					count(&t.Failed)
					continue
				}
				count(&t.Opened)
				then(ctx, s)
				_ = s.tap.Conn.(*net.TCPConn).SetLinger(0) // fails on a closed connection
				_ = s.tap.Conn.Close()
			}
		})
	}
	all.Wait()
	return t
}

// meet is a client after its handshake.
func (c crowd) meet(ctx context.Context, from *net.TCPAddr, to netip.AddrPort) (*stranger, error) {
	d := net.Dialer{LocalAddr: from, Timeout: time.Second, Control: shareports}
	raw, err := d.DialContext(ctx, "tcp", to.String())
	if err != nil {
		return nil, err
	}
	s := &stranger{tap: &tap{Conn: raw}}
	config := strangerConfig()
	if c.kind == "renegotiation" { // which TLS 1.3 does not have
		config.MaxVersion = tls.VersionTLS12
		config.CipherSuites = []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}
		config.KeyLogWriter = &s.tap.secret
		s.tap.keeps = true
	}
	s.Conn = tls.Client(s.tap, config)
	end, _ := ctx.Deadline()
	err = errors.Join(raw.SetDeadline(end), s.Handshake())
	if err != nil {
		_ = raw.Close()
		return nil, err
	}
	s.tap.keeps = false
	return s, nil
}

// renegotiate asks for another handshake, and waits for what is said to that.
func (s *stranger) renegotiate() {
	record, err := s.tap.seal(clientHello()[recordHead:])
	if err == nil {
		_, err = s.tap.Conn.Write(record)
	}
	if err == nil {
		_, _ = io.Copy(io.Discard, s.Conn) // ends with an alert
	}
}
