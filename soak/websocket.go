//go:build linux

package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// webSocket is one that has to live through a play: words go forth and back on
// it all the time.
type webSocket struct {
	p     *play
	stop  chan struct{}
	ended chan error
}

// openWebSocket opens one through the gateway.
func (p *play) openWebSocket() *webSocket {
	w := &webSocket{p: p, stop: make(chan struct{}), ended: make(chan error, 1)}
	conn, err := net.Dial("tcp", p.front.address)
	if err != nil {
		p.Fatal(err)
	}
	p.Cleanup(func() { _ = conn.Close() })
	fmt.Fprint(conn, "GET /ws HTTP/1.1\r\nHost: soak.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
	reader := bufio.NewReader(conn)
	response, err := http.ReadResponse(reader, nil)
	if err != nil || response.StatusCode != http.StatusSwitchingProtocols {
		p.Fatalf("no WebSocket: %v %+v", err, response)
	}
	go func() { w.ended <- w.talk(conn, reader) }()
	return w
}

func (w *webSocket) talk(conn net.Conn, reader io.Reader) error {
	for i := 0; ; i++ {
		select {
		case <-w.stop:
			return nil
		case <-time.After(20 * time.Millisecond):
		}
		word := fmt.Appendf(nil, "word %d", i)
		// A frame of text, masked with zeroes (RFC 6455 §5.2).
		if _, err := conn.Write(append([]byte{0x81, 0x80 | byte(len(word)), 0, 0, 0, 0}, word...)); err != nil {
			return fmt.Errorf("the WebSocket was cut after %d words: %w", i, err)
		}
		_ = conn.SetReadDeadline(time.Now().Add(30 * time.Second))
		echo := make([]byte, 2+len(word))
		if _, err := io.ReadFull(reader, echo); err != nil {
			return fmt.Errorf("the WebSocket was cut after %d words: %w", i, err)
		}
		if !bytes.Equal(echo[2:], word) {
			return fmt.Errorf("the WebSocket brought %q for %q", echo[2:], word)
		}
	}
}

// close ends it, and the play where it did not live until now.
func (w *webSocket) close() {
	close(w.stop)
	if err := <-w.ended; err != nil {
		w.p.Fatal(err)
	}
}
