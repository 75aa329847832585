package h2

import (
	"bufio"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"golang.org/x/net/http2"

	"rgate/internal/rig/ends"
)

// An endpoint that floods is left, as a client is.
func TestEndpointsThatFlood(t *testing.T) {
	for name, flood := range map[string]func(r *raw, i int) error{
		"SETTINGS":      func(r *raw, _ int) error { return r.WriteSettings() },
		"PING":          func(r *raw, _ int) error { return r.WritePing(false, [8]byte{}) },
		"WINDOW_UPDATE": func(r *raw, _ int) error { return r.WriteWindowUpdate(0, 1) },
		"empty DATA":    func(r *raw, _ int) error { return r.WriteData(1, false, nil) },
		"RST_STREAM":    func(r *raw, _ int) error { return r.WriteRSTStream(1, http2.ErrCodeInternal) },
		"1xx": func(r *raw, _ int) error {
			return r.headers(1, false, ":status", "103", "x", strings.Repeat("y", 1000))
		},
		"CONTINUATION": func(r *raw, i int) error {
			if i == 0 {
				return r.WriteHeaders(http2.HeadersFrameParam{StreamID: 1})
			}
			return r.WriteContinuation(1, false, nil)
		},
	} {
		t.Run(name, func(t *testing.T) {
			conn := endpoint(t, nil, func(r *raw) {
				r.await(http2.FrameHeaders)
				if name == "empty DATA" {
					_ = r.headers(1, false, ":status", "200")
				}
				go r.rest() // what is answered is read
				for i := range 1_000_000 {
					if flood(r, i) != nil {
						return
					}
				}
				t.Error("a million frames were taken")
			})
			s := begin(t, conn)
			_, _ = io.WriteString(s, getRequest)
			if name != "1xx" { // which nobody is to read
				_, _ = io.Copy(io.Discard, s)
			}
			ends.Until(t, "the connection is left", func() bool { return conn.Err() != nil })
			var wrong *ConnError
			if !errors.As(conn.Err(), &wrong) || wrong.Code != EnhanceYourCalm {
				t.Errorf("the connection ended with %v", conn.Err())
			}
		})
	}
}

// What nobody reads is not sent: an endpoint's answer stops at the window, and a
// request at the endpoint's.
func TestNobodyReads(t *testing.T) {
	sent := make(chan int, 1)
	conn := endpoint(t, []http2.Setting{{ID: http2.SettingInitialWindowSize, Val: 1000}}, func(r *raw) {
		r.await(http2.FrameHeaders)
		got := 0
		for got < 1000 {
			got += len(r.await(http2.FrameData).(*http2.DataFrame).Data())
		}
		_ = r.headers(1, false, ":status", "200", "content-length", "1000000")
		total := 0
		for total+1000 <= streamWindow {
			_ = r.WriteData(1, false, make([]byte, 1000))
			total += 1000
		}
		sent <- got
		r.rest()
	})
	s := begin(t, conn)
	go func() {
		_, _ = io.WriteString(s, "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 2000\r\n\r\n"+strings.Repeat("x", 2000))
	}()
	if got := <-sent; got != 1000 {
		t.Errorf("%d bytes were sent into a window of 1000", got)
	}
	s.c.mu.Lock()
	held := len(s.in.Pending())
	s.c.mu.Unlock()
	if held > streamWindow {
		t.Errorf("%d bytes are held", held)
	}
	res, err := http.ReadResponse(bufio.NewReader(s), nil)
	if err != nil || res.ContentLength != 1_000_000 {
		t.Error(res, err)
	}
}

// A connection carries as many streams as its endpoint says, and what comes before
// its end stays.
func TestAsManyAsMayBe(t *testing.T) {
	end := make(chan bool)
	conn := endpoint(t, []http2.Setting{{ID: http2.SettingMaxConcurrentStreams, Val: 2}}, func(r *raw) {
		for _, id := range []uint32{1, 3} {
			r.await(http2.FrameHeaders)
			_ = r.headers(id, false, ":status", "200", "content-length", "2")
			_ = r.WriteData(id, false, []byte("ok")) // its end comes by itself
		}
		<-end
		for _, id := range []uint32{1, 3} {
			_ = r.WriteData(id, true, nil)
		}
		r.rest()
	})
	one, two := begin(t, conn), begin(t, conn)
	if more, _ := conn.Ask(); more != nil {
		t.Fatal("a third stream is opened")
	}
	for _, s := range []*Stream{one, two} {
		_, _ = io.WriteString(s, getRequest)
		res, err := http.ReadResponse(bufio.NewReader(s), nil)
		if err != nil {
			t.Fatal(err)
		}
		if b, err := io.ReadAll(res.Body); string(b) != "ok" || err != nil {
			t.Errorf("got %q, %v", b, err)
		}
	}
	_ = one.Close()
	if more, _ := conn.Ask(); more != nil {
		t.Error("a stream counts no more though the endpoint has not ended it")
	}
	_ = two.Close()
	close(end)
	ends.Until(t, "there is room again", func() bool {
		s, _ := conn.Ask()
		if s != nil {
			_ = s.Close()
		}
		return s != nil
	})
}
