//go:build linux

package conformance

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"rgate/internal/config"
	"rgate/internal/rig/ends"
)

// slowly is an endpoint that answers /slow once it may, and tells of requests
// that begin and are given up.
type slowly struct{ began, may, gone chan struct{} }

func (s *slowly) serve(w http.ResponseWriter, q *http.Request) {
	if q.URL.Path == "/slow" {
		s.began <- struct{}{}
		select {
		case <-s.may:
		case <-q.Context().Done():
			s.gone <- struct{}{}
			return
		}
	}
	_, _ = io.WriteString(w, "ok")
}

func newSlowly() *slowly {
	return &slowly{make(chan struct{}, 10), make(chan struct{}), make(chan struct{}, 10)}
}

// A connection whose listener goes ends in order: GOAWAY comes twice, what was on
// its way in between is answered, and what is under way comes to its end.
func TestHTTP2EndsInOrder(t *testing.T) {
	s := newSlowly()
	speaks(t, ends.HTTP(t, s.serve), nil, func(t *testing.T, h *talk) {
		f := h.dial(t)
		f.ask(1, true, h.plainly("GET", "/slow")...)
		<-s.began
		h.Drain(h.listener, time.Minute)
		if first := until(f, func(*http2.GoAwayFrame) bool { return true }); first.LastStreamID != 1<<31-1 || first.ErrCode != http2.ErrCodeNo {
			t.Errorf("at first %v", first)
		}
		ping := until(f, func(p *http2.PingFrame) bool { return !p.IsAck() })
		f.ask(3, true, h.plainly("GET", "/late")...) // it was on its way
		_ = f.WritePing(true, ping.Data)
		last := uint32(0)
		for answered := 0; answered < 2; {
			got, err := f.ReadFrame()
			if err != nil {
				t.Fatal(err)
			}
			switch got := got.(type) {
			case *http2.GoAwayFrame:
				last = got.LastStreamID
				f.ask(5, true, h.plainly("GET", "/never")...)
				s.may <- struct{}{}
			case *http2.MetaHeadersFrame:
				if got.StreamID == 5 || got.PseudoValue("status") != "200" {
					t.Errorf("%d: %v", got.StreamID, got.Fields)
				}
				answered++
			case *http2.RSTStreamFrame:
				t.Errorf("%v", got)
			}
		}
		if last != 3 {
			t.Errorf("the last is said to be %d", last)
		}
		for { // and then it ends
			if _, err := f.ReadFrame(); err == io.EOF {
				break
			} else if err != nil {
				t.Fatal(err)
			}
		}
		<-h.listener.Shut()
	})
}

// A stream that its client resets is a client that left.
func TestHTTP2ClientLeaves(t *testing.T) {
	s := newSlowly()
	speaks(t, ends.HTTP(t, s.serve), nil, func(t *testing.T, h *talk) {
		f := h.dial(t)
		f.ask(1, true, h.plainly("GET", "/slow")...)
		<-s.began
		_ = f.WriteRSTStream(1, http2.ErrCodeCancel)
		<-s.gone
		f.ask(3, true, h.plainly("GET", "/slow")...)
		<-s.began
		h.Cut(h.listener)
		<-s.gone
		if _, err := f.ReadFrame(); err == nil { // what was sent before it was cut
			for err == nil {
				_, err = f.ReadFrame()
			}
		}
	})
}

// Over TLS a host that the connection is not for is misdirected, and the
// connection goes on.
func TestHTTP2Misdirected(t *testing.T) {
	s := newSlowly()
	speaks(t, ends.HTTP(t, s.serve), nil, func(t *testing.T, h *talk) {
		f := h.dial(t)
		fields := h.plainly("GET", "/")
		fields[5] = "other.example"
		f.ask(1, true, fields...)
		want := "200"
		if fields[3] == "https" {
			want = "421"
		}
		if head := until(f, of[*http2.MetaHeadersFrame](1)); head.PseudoValue("status") != want {
			t.Errorf("%v", head.Fields)
		}
		f.ask(3, true, h.plainly("GET", "/")...)
		if head := until(f, of[*http2.MetaHeadersFrame](3)); head.PseudoValue("status") != "200" {
			t.Errorf("after it: %v", head.Fields)
		}
	})
}

// What is malformed is answered as HTTP/1.1 would be, and reset.
func TestHTTP2Malformed(t *testing.T) {
	s := newSlowly()
	speaks(t, ends.HTTP(t, s.serve), nil, func(t *testing.T, h *talk) {
		id := uint32(1)
		for _, more := range [][]string{{"x", "a\r\nb: c"}, {"x", "a\x00"}, {"transfer-encoding", "chunked"}, {"content-length", "1"}, {"host", "b"}, {"X", "1"}, {"connection", "close"}} {
			f := h.dial(t)
			f.Framer.ReadMetaHeaders = nil
			f.ask(id, true, h.plainly("GET", "/", more...)...)
			if r := until(f, of[*http2.RSTStreamFrame](id)); r.ErrCode != http2.ErrCodeProtocol {
				t.Errorf("%q: %v", more, r)
			}
		}
	})
}

// A connection without a stream makes room for another, and one whose stream gets
// on does not. Streams take no room of their own.
func TestHTTP2MakesRoom(t *testing.T) {
	s := newSlowly()
	one := func(c *config.Config) { c.Limits.Connections = 1 }
	speaks(t, ends.HTTP(t, s.serve), one, func(t *testing.T, h *talk) {
		busy := h.dial(t)
		for id := uint32(1); id < 10; id += 2 {
			busy.ask(id, true, h.plainly("GET", "/slow")...)
			<-s.began
		}
		const get = "GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n"
		if answer := exchange(t, h.Addr, get); !strings.HasPrefix(answer, "HTTP/1.1 503 ") {
			t.Errorf("beside one that is busy: %q", answer)
		}
		for range 5 {
			s.may <- struct{}{}
		}
		for range 5 {
			until(busy, func(m *http2.MetaHeadersFrame) bool { return true })
		}
		ends.Until(t, "the quiet one makes room", func() bool {
			return strings.HasPrefix(exchange(t, h.Addr, get), "HTTP/1.1 200 ")
		})
		var err error
		for err == nil {
			_, err = busy.ReadFrame()
		}
	})
}
