//go:build linux

package conformance

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"rgate/internal/config"
	"rgate/internal/rig"
	"rgate/internal/rig/ends"
	"rgate/internal/trial"
)

// spoken is an endpoint of net/http's that speaks a scheme, and what of the
// configuration says so.
func spoken(t *testing.T, scheme config.Scheme, h http.HandlerFunc) (address string, change func(*config.Config)) {
	t.Helper()
	l, err := net.Listen("tcp", ends.Address())
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: h, Protocols: &http.Protocols{}}
	said := config.EndpointTLS{}
	s.Protocols.SetHTTP1(!scheme.HTTP2())
	s.Protocols.SetHTTP2(scheme.HTTP2())
	s.Protocols.SetUnencryptedHTTP2(scheme.HTTP2())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if !scheme.Secure() {
			_ = s.Serve(l)
			return
		}
		cert, key := trial.Certificate(t, t.TempDir(), "endpoint", "endpoint.test")
		said = config.EndpointTLS{CA: cert, ServerName: "endpoint.test"}
		done <- struct{}{}
		_ = s.ServeTLS(l, cert, key)
	}()
	if scheme.Secure() {
		<-done
	}
	t.Cleanup(func() { _ = s.Close(); <-done })
	return l.Addr().String(), func(cfg *config.Config) {
		cfg.Backends[0].Scheme, cfg.Backends[0].TLS = scheme, said
	}
}

// perScheme runs f for each engine and each scheme that is not plain.
func perScheme(t *testing.T, f func(t *testing.T, kind string, scheme config.Scheme)) {
	for _, kind := range rig.Engines {
		for _, scheme := range []config.Scheme{config.SchemeHTTPS, config.SchemeH2C, config.SchemeH2} {
			t.Run(kind+" "+string(scheme), func(t *testing.T) { f(t, kind, scheme) })
		}
	}
}

// tells answers with what it was asked, and the body.
func tells(w http.ResponseWriter, q *http.Request) {
	switch q.URL.Path {
	case "/304":
		w.WriteHeader(http.StatusNotModified)
	case "/hints":
		w.Header().Set("Link", "</a>")
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(http.StatusNoContent)
	default:
		w.Header().Set("Trailer", "X-Sum")
		w.Header().Set("X-Asked", fmt.Sprint(q.Method, q.Host, q.URL, q.Header.Get("Te"), q.Proto, q.ContentLength))
		b, _ := io.ReadAll(q.Body)
		w.WriteHeader(http.StatusOK)
		_, _ = w.Write(b)
		w.Header().Set("X-Sum", fmt.Sprint(len(b), q.Trailer.Get("X-End")))
	}
}

func wholeBody(t *testing.T, res *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// What a client of HTTP/1.1 says and hears is the same whatever its endpoint
// speaks.
func TestWhateverTheEndpointSpeaks(t *testing.T) {
	perScheme(t, func(t *testing.T, kind string, scheme config.Scheme) {
		address, change := spoken(t, scheme, tells)
		r := rig.Start(t, kind, change, address)
		c, in := dial(t, r.Addr)
		ask := func(method, text string) *http.Response {
			t.Helper()
			go func() { _, _ = io.WriteString(c, text) }()
			res, err := http.ReadResponse(in, &http.Request{Method: method})
			if err != nil {
				t.Fatal(err)
			}
			return res
		}
		all := func(res *http.Response) string { return wholeBody(t, res) }
		proto := "HTTP/1.1"
		te := ""
		if scheme.HTTP2() {
			proto, te = "HTTP/2.0", "trailers"
		}
		for _, size := range []int{0, 1, 5000, 100_000, 2 << 20} {
			body := strings.Repeat("0123456789", size/10+1)[:size]
			res := ask("POST", fmt.Sprintf("POST /a%%2Fb?c HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nContent-Length: %d\r\n\r\n%s", size, body))
			if got := all(res); got != body {
				t.Errorf("got %d bytes back of %d", len(got), size)
			}
			if got, want := res.Header.Get("X-Asked"), fmt.Sprint("POST", "a", "/a%2Fb?c", te, proto, size); got != want {
				t.Errorf("was asked %q, not %q", got, want)
			}
			if got := res.Trailer.Get("X-Sum"); got != fmt.Sprint(size) {
				t.Errorf("the trailer section has %q", got)
			}
		}
		res := ask("POST", "POST / HTTP/1.1\r\nHost: a\r\nTrailer: X-End\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-End: !\r\n\r\n")
		if got := all(res); got != "abc" || res.Trailer.Get("X-Sum") != "3!" {
			t.Errorf("got %q, %v", got, res.Trailer)
		}
		if res := ask("HEAD", "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"); res.StatusCode != 200 || all(res) != "" {
			t.Errorf("HEAD: %v", res.Status)
		}
		if res := ask("GET", "GET /304 HTTP/1.1\r\nHost: a\r\n\r\n"); res.StatusCode != 304 || all(res) != "" {
			t.Errorf("304: %v", res.Status)
		}
		if res := ask("GET", "GET /hints HTTP/1.1\r\nHost: a\r\n\r\n"); res.StatusCode != 103 {
			t.Errorf("hints: %v", res.Status)
		}
		if res, err := http.ReadResponse(in, nil); err != nil || res.StatusCode != 204 {
			t.Errorf("after the hints: %v, %v", res, err)
		}
		counted := func() uint64 { return r.Gate.Table().Total().Report().Requests.Success }
		ends.Until(t, "all are counted", func() bool { return counted() >= 9 })
		if n := counted(); n != 9 {
			t.Errorf("%d requests were counted, 9 came", n)
		}
	})
}

// frames is an endpoint's connection that speaks HTTP/2 in frames.
type frames struct {
	net.Conn
	*http2.Framer
	n int // how many were before it
}

// inFrames is an endpoint that talk carries each connection of.
func inFrames(t *testing.T, talk func(*frames)) (address string, change func(*config.Config)) {
	t.Helper()
	var n atomic.Int64
	address = accept(t, func(c net.Conn) {
		if _, err := io.ReadFull(c, make([]byte, len(http2.ClientPreface))); err != nil {
			return
		}
		f := &frames{c, http2.NewFramer(c, c), int(n.Add(1) - 1)}
		_ = f.WriteSettings()
		talk(f)
	})
	return address, func(cfg *config.Config) { cfg.Backends[0].Scheme = config.SchemeH2C }
}

// next is the next frame of that kind; nil where the connection ends.
func (f *frames) next(kind http2.FrameType) http2.Frame {
	for {
		one, err := f.ReadFrame()
		if err != nil {
			return nil
		}
		if one.Header().Type == kind {
			return one
		}
	}
}

// head says a field section.
func (f *frames) head(id uint32, end bool, fields ...string) {
	var b bytes.Buffer
	e := hpack.NewEncoder(&b)
	for i := 0; i+1 < len(fields); i += 2 {
		_ = e.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]})
	}
	_ = f.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: b.Bytes(), EndHeaders: true, EndStream: end})
}

// What an endpoint says that it did not look at is asked for again, though it may
// not be sent twice.
func TestUnprocessedStreamsAreSentAgain(t *testing.T) {
	for _, kind := range rig.Engines {
		for _, how := range []string{"refused", "GOAWAY"} {
			t.Run(kind+" "+how, func(t *testing.T) {
				var asked atomic.Int64
				address, change := inFrames(t, func(f *frames) {
					for h := f.next(http2.FrameHeaders); h != nil; h = f.next(http2.FrameHeaders) {
						id := h.Header().StreamID
						f.next(http2.FrameData)
						switch {
						case asked.Add(1) > 1:
							f.head(id, true, ":status", "204")
						case how == "refused":
							_ = f.WriteRSTStream(id, http2.ErrCodeRefusedStream)
						default:
							_ = f.WriteGoAway(id-1, http2.ErrCodeNo, nil)
						}
					}
				})
				c, in := dial(t, rig.Start(t, kind, change, address).Addr)
				_, _ = io.WriteString(c, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi")
				if res := answerOf(t, in); res.StatusCode != 204 || asked.Load() != 2 {
					t.Errorf("got %s after %d requests", res.Status, asked.Load())
				}
			})
		}
	}
}

// An answer that breaks off is no whole one, and a request that its client gives
// up ends for the endpoint.
func TestHTTP2EndpointsBreakOff(t *testing.T) {
	for _, kind := range rig.Engines {
		t.Run(kind+" reset", func(t *testing.T) {
			arrived := make(chan bool)
			address, change := inFrames(t, func(f *frames) {
				id := f.next(http2.FrameHeaders).Header().StreamID
				f.head(id, false, ":status", "200")
				_ = f.WriteData(id, false, []byte("half"))
				<-arrived
				_ = f.WriteRSTStream(id, http2.ErrCodeInternal)
				f.next(http2.FramePing)
			})
			c, in := dial(t, rig.Start(t, kind, change, address).Addr)
			_, _ = io.WriteString(c, get+host+"\r\n")
			res := answerOf(t, in)
			_, err := io.ReadFull(res.Body, make([]byte, 4))
			close(arrived)
			if err != nil {
				t.Fatal(err)
			}
			if b, err := io.ReadAll(res.Body); err == nil {
				t.Errorf("the answer ends whole: %q", b)
			}
		})
		t.Run(kind+" early", func(t *testing.T) {
			address, change := inFrames(t, func(f *frames) {
				id := f.next(http2.FrameHeaders).Header().StreamID
				f.head(id, false, ":status", "413")
				_ = f.WriteData(id, true, []byte("too much"))
				_ = f.WriteRSTStream(id, http2.ErrCodeNo)
				f.next(http2.FramePing)
			})
			c, in := dial(t, rig.Start(t, kind, change, address).Addr)
			_, _ = io.WriteString(c, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\nhi")
			res := answerOf(t, in)
			if b, err := io.ReadAll(res.Body); res.StatusCode != 413 || string(b) != "too much" || err != nil {
				t.Errorf("got %s, %q, %v", res.Status, b, err)
			}
		})
		t.Run(kind+" a client leaves", func(t *testing.T) {
			begun, code := make(chan bool, 1), make(chan http2.ErrCode, 1)
			address, change := inFrames(t, func(f *frames) {
				if f.next(http2.FrameHeaders) == nil {
					return
				}
				begun <- true
				if r, ok := f.next(http2.FrameRSTStream).(*http2.RSTStreamFrame); ok {
					code <- r.ErrCode
				}
			})
			c, _ := dial(t, rig.Start(t, kind, change, address).Addr)
			_, _ = io.WriteString(c, get+host+"\r\n")
			<-begun
			_ = c.Close()
			if got := <-code; got != http2.ErrCodeCancel {
				t.Errorf("the endpoint got %v", got)
			}
		})
	}
}

// Who connects is told first, to each connection anew.
func TestEndpointsAreToldWhoConnects(t *testing.T) {
	for _, kind := range rig.Engines {
		t.Run(kind, func(t *testing.T) {
			address := accept(t, func(c net.Conn) {
				in := bufio.NewReader(c)
				line, err := in.ReadString('\n')
				if err != nil {
					return
				}
				q, err := http.ReadRequest(in)
				if err != nil {
					return
				}
				_, _ = fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nX-Said: %s\r\nContent-Length: 0\r\n\r\n", strings.TrimSpace(line))
				_ = q.Body.Close()
				_, _ = in.ReadByte()
			})
			c, in := dial(t, rig.Start(t, kind, func(cfg *config.Config) { cfg.Backends[0].ProxyProtocol = config.ProxyV1 }, address).Addr)
			for range 2 {
				_, _ = io.WriteString(c, get+host+"\r\n")
				res := answerOf(t, in)
				from, to := c.LocalAddr().(*net.TCPAddr), c.RemoteAddr().(*net.TCPAddr)
				if got, want := res.Header.Get("X-Said"), fmt.Sprintf("PROXY TCP4 %s %s %d %d", from.IP, to.IP, from.Port, to.Port); got != want {
					t.Errorf("the endpoint was told %q, not %q", got, want)
				}
			}
		})
	}
}
