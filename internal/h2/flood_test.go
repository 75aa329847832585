package h2

import (
	"io"
	"net/http"
	"testing"
	"time"

	"golang.org/x/net/http2"
)

// patiently answers once the stream is gone.
func patiently(_ http.ResponseWriter, q *http.Request) {
	if _, err := io.Copy(io.Discard, q.Body); err == nil {
		<-q.Context().Done()
	}
}

// open opens a stream.
func (r *raw) open(id uint32, end bool) error {
	return r.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: get, EndHeaders: true, EndStream: end})
}

// floods are what is to be bounded: frames that come one after the other.
var floods = map[string]func(r *raw, i int) error{
	"SETTINGS":      func(r *raw, _ int) error { return r.WriteSettings() },
	"SETTINGS acks": func(r *raw, _ int) error { return r.WriteSettingsAck() },
	"PING":          func(r *raw, _ int) error { return r.WritePing(false, [8]byte{}) },
	"PING acks":     func(r *raw, _ int) error { return r.WritePing(true, [8]byte{}) },
	"PRIORITY":      func(r *raw, i int) error { return r.WritePriority(uint32(2*i+1), http2.PriorityParam{}) },
	"WINDOW_UPDATE": func(r *raw, _ int) error { return r.WriteWindowUpdate(0, 1) },
	"unknown":       func(r *raw, _ int) error { return r.WriteRawFrame(77, 0, 0, nil) },
	"RST of the dead": func(r *raw, i int) error {
		if i == 0 {
			return r.open(1, true)
		}
		return r.WriteRSTStream(1, 0)
	},
	"rapid reset": func(r *raw, i int) error {
		id := uint32(2*i + 1)
		if err := r.open(id, true); err != nil {
			return err
		}
		return r.WriteRSTStream(id, http2.ErrCodeCancel)
	},
	"made you reset": func(r *raw, i int) error {
		id := uint32(2*i + 1)
		if err := r.open(id, true); err != nil {
			return err
		}
		return r.WriteWindowUpdate(id, 1<<31-1)
	},
	"malformed": func(r *raw, i int) error {
		return r.WriteHeaders(http2.HeadersFrameParam{StreamID: uint32(2*i + 1), BlockFragment: encoded(":method", "GET"), EndHeaders: true, EndStream: true})
	},
	"empty DATA": func(r *raw, i int) error {
		if i == 0 {
			return r.open(1, false)
		}
		return r.WriteData(1, false, nil)
	},
	"padding": func(r *raw, i int) error {
		if i == 0 {
			return r.open(1, false)
		}
		return r.WriteDataPadded(1, false, nil, make([]byte, 200))
	},
	"CONTINUATION": func(r *raw, i int) error {
		if i == 0 {
			return r.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: get})
		}
		return r.WriteContinuation(1, false, nil)
	},
	"a head without end": func(r *raw, i int) error {
		if i == 0 {
			return r.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: get})
		}
		return r.WriteContinuation(1, false, encoded("a", string(make([]byte, 10_000))))
	},
}

// Whoever costs work and gets nobody on is told to be calm.
func TestFloods(t *testing.T) {
	for name, flood := range floods {
		t.Run(name, func(t *testing.T) {
			addr := serve(t, nil, patiently)
			r := dial(t, addr)
			r.AllowIllegalWrites = true
			go func() {
				for i := range 20_000 {
					if flood(r, i) != nil {
						return
					}
				}
			}()
			f := r.until(func(f http2.Frame) bool {
				g, ok := f.(*http2.GoAwayFrame)
				return ok && g.ErrCode != http2.ErrCodeNo
			}).(*http2.GoAwayFrame)
			if f.ErrCode != http2.ErrCodeEnhanceYourCalm {
				t.Errorf("%v: %s", f, f.DebugData())
			}
		})
	}
}

// Whoever has his frames answered and reads none of the answers is given up: what
// is kept for him is bounded.
func TestAnswersThatNobodyReads(t *testing.T) {
	c := New(Options{Streams: 1, Head: 1000, Fields: 10})
	feed(t, c, []byte(Preface), appendFrame(nil, 0, kindSettings, 0, 0))
	ping := appendPing(nil, false, make([]byte, 8))
	for range 1_000_000 {
		c.control = allowance{}
		if _, err := c.Feed(ping); err != nil {
			return
		}
		if len(c.out) > mostQueued+100 {
			t.Fatalf("%d bytes wait", len(c.out))
		}
	}
	t.Error("it goes on")
}

func feed(t *testing.T, c *Conn, all ...[]byte) {
	t.Helper()
	for _, b := range all {
		if n, err := c.Feed(b); err != nil || n != len(b) {
			t.Fatalf("%d of %d bytes were taken: %v", n, len(b), err)
		}
	}
}

// A head that does not come, and a client without a stream, end in time.
func TestPatience(t *testing.T) {
	short := func() time.Duration { return 50 * time.Millisecond }
	for name, begin := range map[string]func(r *raw){
		"half a head": func(r *raw) {
			_ = r.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: encoded("a", "b")})
		},
		"nothing": func(*raw) {},
	} {
		t.Run(name, func(t *testing.T) {
			r := dial(t, serveFor(t, nil, patiently, short))
			begin(r)
			for { // PINGs change nothing
				f, err := r.ReadFrame()
				if err == io.EOF {
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				if p, ok := f.(*http2.PingFrame); ok && !p.IsAck() {
					_ = r.WritePing(true, p.Data)
				}
			}
		})
	}
}
