//go:build linux

package conformance

import (
	"bufio"
	"bytes"
	"crypto/sha1"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"rgate/internal/rig/ends"
)

// framed is a client that says what it likes in HTTP/2.
type framed struct {
	net.Conn
	*http2.Framer
	t *testing.T
	b bytes.Buffer
	e *hpack.Encoder
}

func (h *talk) dial(t *testing.T) *framed {
	t.Helper()
	scheme, addr, _ := strings.Cut(h.url, "://")
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	if scheme == "https" {
		c = tls.Client(c, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}, ServerName: "a.example"})
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(ends.Patience))
	f := &framed{Conn: c, Framer: http2.NewFramer(c, bufio.NewReader(c)), t: t}
	f.e = hpack.NewEncoder(&f.b)
	f.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	f.AllowIllegalWrites = true
	if _, err := io.WriteString(c, http2.ClientPreface); err != nil {
		t.Fatal(err)
	}
	_ = f.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1 << 20})
	_ = f.WriteWindowUpdate(0, 1<<30)
	return f
}

// ask opens a stream with fields, given as name, value, name, value.
func (f *framed) ask(id uint32, end bool, fields ...string) {
	f.t.Helper()
	f.b.Reset()
	for i := 0; i < len(fields); i += 2 {
		_ = f.e.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]})
	}
	if err := f.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: f.b.Bytes(), EndHeaders: true, EndStream: end}); err != nil {
		f.t.Fatal(err)
	}
}

// until reads frames until one is wanted.
func until[F http2.Frame](f *framed, want func(F) bool) F {
	f.t.Helper()
	for {
		got, err := f.ReadFrame()
		if err != nil {
			f.t.Fatalf("the connection ended: %v", err)
		}
		if one, ok := got.(F); ok && want(one) {
			return one
		}
	}
}

func of[F http2.Frame](id uint32) func(F) bool {
	return func(f F) bool { return f.Header().StreamID == id }
}

// plainly is the fields of a request.
func (h *talk) plainly(method, path string, more ...string) []string {
	scheme, _, _ := strings.Cut(h.url, ":")
	return append([]string{":method", method, ":scheme", scheme, ":authority", "a.example", ":path", path}, more...)
}

// echoes is an endpoint of WebSockets, which says all that it hears.
func echoes(t *testing.T) string {
	return ends.Talk(t, func(c net.Conn, in *bufio.Reader) {
		q, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		if q.Header.Get("Upgrade") != "websocket" {
			fmt.Fprint(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
			return
		}
		if q.URL.Path == "/no" {
			fmt.Fprint(c, "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno")
			return
		}
		sum := sha1.Sum([]byte(q.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
		accept := base64.StdEncoding.EncodeToString(sum[:])
		if q.URL.Path == "/wrong" {
			accept = "x"
		}
		fmt.Fprintf(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: %s\r\nSec-WebSocket-Protocol: %s\r\n\r\n", accept, q.Header.Get("Sec-WebSocket-Protocol"))
		_, _ = io.Copy(c, in)
	})
}

// A WebSocket comes by an extended CONNECT (RFC 8441), and all that is said
// arrives, both ways.
func TestWebSocketsOverHTTP2(t *testing.T) {
	speaks(t, echoes(t), nil, func(t *testing.T, h *talk) {
		f := h.dial(t)
		until(f, func(s *http2.SettingsFrame) bool {
			on, _ := s.Value(http2.SettingEnableConnectProtocol)
			return on == 1
		})
		connect := func(id uint32, path string) {
			f.ask(id, false, h.plainly("CONNECT", path, ":protocol", "websocket", "sec-websocket-version", "13", "sec-websocket-protocol", "chat")...)
		}
		connect(1, "/no")
		if head := until(f, of[*http2.MetaHeadersFrame](1)); head.PseudoValue("status") != "403" {
			t.Errorf("a refusal: %v", head.Fields)
		}
		connect(3, "/wrong")
		until(f, of[*http2.RSTStreamFrame](3))
		connect(5, "/")
		head := until(f, of[*http2.MetaHeadersFrame](5))
		if head.PseudoValue("status") != "200" || head.StreamEnded() || len(head.RegularFields()) != 2 {
			t.Fatalf("%v", head.Fields)
		}
		f.shout(5, 4<<20)
	})
}

// shout says so much on a stream while it reads what comes back.
func (f *framed) shout(id uint32, size int) {
	f.t.Helper()
	sent, got := crc32.NewIEEE(), crc32.NewIEEE()
	var turn sync.Mutex          // of who writes frames
	said := make(chan int, 1000) // bytes that may be sent, besides the first window
	defer close(said)
	go func() {
		for n, room := 0, 1<<16-1; n < size; {
			for room <= 0 {
				more, ok := <-said
				if !ok {
					return
				}
				room += more
			}
			k := min(room, 16<<10, size-n)
			data := bytes.Repeat([]byte{byte(n >> 10)}, k)
			_, _ = sent.Write(data)
			n, room = n+k, room-k
			turn.Lock()
			err := f.WriteData(id, n == size, data)
			turn.Unlock()
			if err != nil {
				return
			}
		}
	}()
	for n, ended := 0, false; !ended; {
		frame, err := f.ReadFrame()
		if err != nil {
			f.t.Fatalf("after %d bytes: %v", n, err)
		}
		switch d := frame.(type) {
		case *http2.DataFrame:
			_, _ = got.Write(d.Data())
			n += len(d.Data())
			if ended = d.StreamEnded(); ended && (n != size || sent.Sum32() != got.Sum32()) {
				f.t.Errorf("what came back differs, or is %d bytes", n)
			}
			if len(d.Data()) > 0 {
				turn.Lock()
				_ = f.WriteWindowUpdate(id, uint32(len(d.Data())))
				turn.Unlock()
			}
		case *http2.WindowUpdateFrame:
			if d.StreamID == id {
				said <- int(d.Increment)
			}
		case *http2.RSTStreamFrame:
			if d.StreamID == id {
				f.t.Fatalf("after %d bytes: %v", n, d)
			}
		case *http2.GoAwayFrame:
			f.t.Fatalf("after %d bytes: %v", n, d)
		}
	}
}
