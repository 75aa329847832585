//go:build linux

package loop

import (
	"bufio"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"rgate/internal/config"
	"rgate/internal/rig/ends"
)

const secureGet = "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"

// answered tells whether n answers of hello are in what was said.
func answered(n int) func(string) bool {
	return func(said string) bool { return strings.Count(said, "hello") == n }
}

// What a client says means the same in however many records it comes, and however
// many of them come at once.
func TestRecordsOfAnySize(t *testing.T) {
	g := start(t, nil, serve(t, hello))
	addr := g.secure("a.example")
	k := newTalker(t, addr)
	for i := range secureGet {
		k.say(secureGet[i : i+1])
	}
	if said, err := k.hear(answered(1)); err != nil {
		t.Fatalf("in records of a byte: %q, %v", said, err)
	}
	var all []byte
	for range 50 {
		for i := range secureGet {
			all = append(all, k.record(recordData, []byte(secureGet[i:i+1]))...)
		}
	}
	k.put(all)
	if said, err := k.hear(answered(50)); err != nil {
		t.Fatalf("at once: %q, %v", said, err)
	}
	k.put(append(k.record(recordData, []byte(secureGet)), k.record(recordAlert, []byte{1, 0})...))
	if said, err := k.hear(nil); !answered(1)(said) || err == nil || err.Error() != "alert 0" {
		t.Errorf("with an end behind it: %q, %v", said, err)
	}
}

// A change of keys may come at any time, and in parts, and is answered.
func TestKeysChange(t *testing.T) {
	g := start(t, nil, serve(t, hello))
	k := newTalker(t, g.secure("a.example"))
	for i := range 20 {
		if i%2 == 0 {
			k.put(k.record(recordHandshake, keyUpdate))
		} else { // a message in two records
			k.put(k.record(recordHandshake, keyUpdate[:1+i%4]))
			k.put(k.record(recordHandshake, keyUpdate[1+i%4:]))
		}
		k.out.update(t)
		before := k.in.secret
		k.say(secureGet)
		if said, err := k.hear(answered(1)); err != nil {
			t.Fatalf("%d: %q, %v", i, said, err)
		}
		if string(before) == string(k.in.secret) {
			t.Errorf("%d: it was not answered", i)
		}
	}
}

// Who has its changes of keys answered and does not read is closed, and holds no more
// memory than that takes.
func TestKeysChangeForNobody(t *testing.T) {
	g := start(t, nil, serve(t, func(_ http.ResponseWriter, q *http.Request) { _, _ = io.Copy(io.Discard, q.Body) }))
	k := newTalker(t, g.secure("a.example"))
	k.say("POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 1000000000\r\n\r\n")
	for {
		var b []byte
		for range 100 {
			b = append(b, k.record(recordHandshake, keyUpdate)...)
			k.out.update(t)
			b = append(b, k.record(recordData, []byte("x"))...)
		}
		if _, err := k.Write(b); err != nil {
			if e, ok := err.(net.Error); ok && e.Timeout() {
				t.Error("it goes on")
			}
			return
		}
	}
}

// What no client may say ends its connection with an alert.
func TestRecordsThatAreRefused(t *testing.T) {
	g := start(t, nil, serve(t, hello))
	addr := g.secure("a.example")
	for name, say := range map[string]func(k *talker) []byte{
		"forged":       func(k *talker) []byte { b := k.record(recordData, []byte("x")); b[7] ^= 1; return b },
		"a hello":      func(k *talker) []byte { return k.record(recordHandshake, []byte{1, 0, 0, 1, 0}) },
		"too long":     func(*talker) []byte { return []byte{recordData, 3, 3, 0xff, 0xff} },
		"of no kind":   func(k *talker) []byte { return k.record(99, []byte("x")) },
		"in the clear": func(*talker) []byte { return []byte("GET / HTTP/1.1\r\n\r\n") },
		"a message between": func(k *talker) []byte {
			return append(k.record(recordHandshake, keyUpdate[:2]), k.record(recordData, []byte("x"))...)
		},
		"empty ones": func(k *talker) (all []byte) {
			for range 100 {
				all = append(all, k.record(recordData, nil)...)
			}
			return all
		},
	} {
		k := newTalker(t, addr)
		k.put(say(k))
		if said, err := k.hear(nil); said != "" || err == nil || !strings.HasPrefix(err.Error(), "alert ") || err.Error() == "alert 0" {
			t.Errorf("%s: %q, %v", name, said, err)
		}
	}
}

// A client that asks to begin anew is refused (RFC 5246 §7.4.1.1; the extension for
// it, RFC 5746, is not used either).
func TestNoRenegotiation(t *testing.T) {
	g := start(t, nil, serve(t, hello))
	c := dialTLS(t, g.secure("a.example"), versions["1.2"])
	in := bufio.NewReader(c)
	ask(t, c, in, secureGet)
	// A record of kind handshake, though sealed for another, has a wrong tag all the same.
	if _, err := c.NetConn().Write([]byte{recordHandshake, 3, 3, 0, 4, 0, 0, 0, 0}); err != nil {
		t.Fatal(err)
	}
	if _, err := in.ReadByte(); err == nil || err == io.EOF {
		t.Errorf("it ends with %v", err)
	}
}

// An answer that ends with the connection ends whole with TLS's own end, and one that
// breaks off without it.
func TestEndsInTLS(t *testing.T) {
	b := raw(t, func(c net.Conn, r *bufio.Reader) {
		q, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		switch q.URL.Path {
		case "/cut":
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n")
		case "/short":
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhalf")
		default:
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\nwhole")
		}
	})
	g := start(t, nil, b)
	addr := g.secure("a.example")
	for path, want := range map[string]string{"/": "whole", "/cut": "half", "/short": "half"} {
		k := newTalker(t, addr)
		k.say("GET " + path + " HTTP/1.0\r\nHost: a.example\r\n\r\n")
		said, err := k.hear(nil)
		if !strings.HasSuffix(said, "\r\n\r\n"+want) || (err.Error() == "alert 0") != (want == "whole") {
			t.Errorf("%s: %q, %v", path, said, err)
		}
	}
}

func TestPlainHTTPWhereTheLoopSpeaksTLS(t *testing.T) {
	g := start(t, nil, serve(t, hello))
	c, err := net.Dial("tcp", g.secure("a.example"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	resp, body := ask(t, c, bufio.NewReader(c), secureGet)
	if resp.StatusCode != 400 || !strings.Contains(body, "https://") || !resp.Close {
		t.Errorf("%s %q", resp.Status, body)
	}
}

// A client that never finishes its handshake is closed, and one that is quiet is told
// before it is, though it goes on to say what is no request.
func TestTimesInTLS(t *testing.T) {
	g := start(t, func(c *config.Config, _ *Options) {
		c.Timeouts.ClientHeader, c.Timeouts.Idle = 200*time.Millisecond, 200*time.Millisecond
	}, serve(t, hello))
	addr := g.secure("a.example")
	for _, said := range []string{"", "\x16\x03\x01\x02", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"} {
		mute, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer mute.Close()
		_ = mute.SetDeadline(time.Now().Add(ends.Patience))
		_, _ = io.WriteString(mute, said)
		if b, err := io.ReadAll(mute); err != nil || len(b) != 0 {
			t.Errorf("a client that says %q: %q, %v", said, b, err)
		}
	}
	c := dialTLS(t, addr, nil)
	in := bufio.NewReader(c)
	ask(t, c, in, secureGet)
	if _, err := in.ReadByte(); err != io.EOF { // not io.ErrUnexpectedEOF
		t.Errorf("a quiet client: %v", err)
	}
	k := newTalker(t, addr)
	k.say(secureGet)
	if _, err := k.hear(answered(1)); err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		slow := []byte{recordData, 3, 3, 0x40, 0}
		for {
			if _, err := k.Write(slow); err != nil {
				return
			}
			slow = slow[:1]
			select {
			case <-stop:
				return
			case <-time.After(20 * time.Millisecond): // the slow client itself
			}
		}
	}()
	said, err := k.hear(nil)
	close(stop)
	<-ended
	if e := net.Error(nil); said != "" || errors.As(err, &e) && e.Timeout() {
		t.Errorf("a client with an endless record: %q, %v", said, err)
	}
}

// What is handed over speaks on where it was: in TLS.
func TestHandedOverInTLS(t *testing.T) {
	for name, next := range map[string]string{"": wsUpgrade, "h2": "PRI"} {
		told := make(chan string, 1)
		g := start(t, func(_ *config.Config, o *Options) {
			o.HandOver = func(c net.Conn) {
				defer c.Close()
				h := c.(*handed)
				above, known := h.Secured()
				if known == nil || !known.Belongs([]byte("a.example")) {
					t.Errorf("%q: it is not known what it was made for", name)
				}
				h.Below(c)
				b := make([]byte, len(next))
				n, err := io.ReadFull(above, b)
				told <- string(b[:n])
				if _, err2 := io.WriteString(above, "heard"); errors.Join(err, err2) != nil {
					t.Errorf("%q: %v, %v", name, err, err2)
				}
				_ = above.(interface{ CloseWrite() error }).CloseWrite()
			}
		}, serve(t, hello))
		c := dialTLS(t, g.secureFor("h2", "a.example"), func(c *tls.Config) {
			if name != "" {
				c.NextProtos = []string{name}
			}
		})
		if _, err := io.WriteString(c, next); err != nil {
			t.Fatal(err)
		}
		if got := <-told; got != next {
			t.Errorf("%q: %q was read", name, got)
		}
		if b, err := io.ReadAll(c); string(b) != "heard" || err != nil {
			t.Errorf("%q: %q, %v", name, b, err)
		}
	}
}

const wsUpgrade = "GET / HTTP/1.1\r\nHost: a.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
