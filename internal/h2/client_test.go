package h2

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"rgate/internal/h1"
)

// ask connects to an endpoint and waits for its SETTINGS.
func ask(t testing.TB, addr string) *Conn {
	t.Helper()
	socket, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	c := New(Options{Client: true, Streams: 100, Head: 16 << 10, Fields: 100})
	session, done := Session{Idle: hour, Head: hour}, make(chan struct{})
	go func() {
		defer close(done)
		err := session.Serve(c, socket, nil)
		t.Logf("the client's session ended: %v", err)
	}()
	t.Cleanup(func() {
		c.Kill(ErrLeft)
		<-done
		_ = socket.Close()
	})
	select {
	case <-c.Ready():
	case <-time.After(20 * time.Second):
		t.Fatal("no SETTINGS came")
	}
	return c
}

// begin is a stream of c, with a deadline.
func begin(t testing.TB, c *Conn) *Stream {
	t.Helper()
	s, _ := c.Ask()
	if s == nil {
		t.Fatal("there is no room for a stream")
	}
	t.Cleanup(func() { _ = s.Close() })
	_ = s.SetDeadline(time.Now().Add(20 * time.Second))
	return s
}

// endpoint is one that talk carries the one connection of, with raw frames.
func endpoint(t *testing.T, settings []http2.Setting, talk func(*raw)) *Conn {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(20 * time.Second))
		if _, err := io.ReadFull(c, make([]byte, len(Preface))); err != nil {
			t.Error(err)
		}
		r := &raw{c, http2.NewFramer(c, c), t}
		_ = r.WriteSettings(settings...)
		talk(r)
	}()
	t.Cleanup(func() { _ = l.Close(); <-done })
	return ask(t, l.Addr().String())
}

// await reads frames until one is of that kind on a stream.
func (r *raw) await(kind http2.FrameType) http2.Frame {
	for {
		f, err := r.ReadFrame()
		if err != nil {
			r.t.Errorf("waiting for %v: %v", kind, err)
			return nil
		}
		if f.Header().Type == kind {
			return f
		}
	}
}

// headers says a field section.
func (r *raw) headers(id uint32, end bool, fields ...string) error {
	var b bytes.Buffer
	e := hpack.NewEncoder(&b)
	for i := 0; i+1 < len(fields); i += 2 {
		_ = e.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]})
	}
	return r.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: b.Bytes(), EndHeaders: true, EndStream: end})
}

// rest reads until the connection ends.
func (r *raw) rest() {
	for {
		if _, err := r.ReadFrame(); err != nil {
			return
		}
	}
}

const getRequest = "GET /a?b HTTP/1.1\r\nHost: shop.example\r\nConnection: x\r\nX: y\r\nTE: gzip, trailers\r\nUpgrade: websocket\r\n\r\n"

// tells is a server of Go's that answers with what it was asked, and the body.
func tells(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &http.Protocols{}
	p.SetUnencryptedHTTP2(true)
	server := &http.Server{Protocols: p, Handler: http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		w.Header().Set("Trailer", "X-Sum")
		w.WriteHeader(http.StatusEarlyHints)
		fmt.Fprintf(w, "%s %s %s %d %s %s|", q.Method, q.URL, q.Host, q.ContentLength, q.Header.Get("Te"), q.Header.Get("Connection"))
		n, err := io.Copy(w, q.Body)
		if err != nil {
			t.Error(err)
		}
		w.Header().Set("X-Sum", fmt.Sprint(n, q.Trailer.Get("X-End")))
	})}
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close(); <-done })
	return l.Addr().String()
}

// What Go's server gets, and what comes back, is what was written and is read.
func TestAsk(t *testing.T) {
	c := ask(t, tells(t))
	var all sync.WaitGroup
	for _, size := range []int{0, 1, 1000, 100_000, 3_000_000} {
		for _, known := range []bool{true, false} {
			all.Go(func() {
				s := begin(t, c)
				data := strings.Repeat("0123456789", size/10+1)[:size]
				go func() {
					head := "POST /a?b HTTP/1.1\r\nHost: shop.example\r\nTE: trailers\r\nConnection: close\r\n"
					if known {
						fmt.Fprintf(s, "%sContent-Length: %d\r\n\r\n%s", head, size, data)
						return
					}
					fmt.Fprintf(s, "%sTrailer: X-End\r\nTransfer-Encoding: chunked\r\n\r\n", head)
					length := 7
					for rest := data; len(rest) > 0; {
						piece := rest[:min(length, len(rest))]
						rest = rest[len(piece):]
						fmt.Fprintf(s, "%x\r\n%s\r\n", len(piece), piece)
						length *= 3
					}
					fmt.Fprintf(s, "0\r\nX-End: !\r\n\r\n")
				}()
				in := bufio.NewReader(s)
				hints, err := http.ReadResponse(in, nil)
				if err != nil || hints.StatusCode != http.StatusEarlyHints {
					t.Error(hints, err)
					return
				}
				res, err := http.ReadResponse(in, nil)
				if err != nil {
					t.Error(err)
					return
				}
				got, err := io.ReadAll(res.Body)
				if err != nil {
					t.Error(err)
				}
				length, end := size, ""
				if !known {
					length, end = -1, "!"
				}
				head, rest, _ := strings.Cut(string(got), "|")
				if want := fmt.Sprintf("POST /a?b shop.example %d trailers ", length); head != want || rest != data {
					t.Errorf("%q with %d bytes instead of %q with %d", head, len(rest), want, size)
				}
				if sum := res.Trailer.Get("X-Sum"); sum != fmt.Sprint(size, end) {
					t.Errorf("the trailer section has %q", sum)
				}
			})
		}
	}
	all.Wait()
}

// What says that a request was not looked at is told from what does not.
func TestUnprocessed(t *testing.T) {
	for name, c := range map[string]struct {
		say  func(r *raw)
		want bool
	}{
		"refused":         {func(r *raw) { _ = r.WriteRSTStream(1, http2.ErrCodeRefusedStream) }, true},
		"above the last":  {func(r *raw) { _ = r.WriteGoAway(0, http2.ErrCodeNo, nil) }, true},
		"and for a cause": {func(r *raw) { _ = r.WriteGoAway(0, http2.ErrCodeEnhanceYourCalm, nil) }, true},
		"reset":           {func(r *raw) { _ = r.WriteRSTStream(1, http2.ErrCodeInternal) }, false},
		"closed":          {func(r *raw) { _ = r.Close() }, false},
		"not above":       {func(r *raw) { _ = r.WriteGoAway(1, http2.ErrCodeNo, nil); _ = r.Close() }, false},
	} {
		t.Run(name, func(t *testing.T) {
			conn := endpoint(t, nil, func(r *raw) {
				r.await(http2.FrameHeaders)
				c.say(r)
				r.rest()
			})
			s := begin(t, conn)
			_, _ = io.WriteString(s, getRequest)
			_, err := s.Read(make([]byte, 1))
			if err == nil || Unprocessed(err) != c.want {
				t.Errorf("got %v", err)
			}
		})
	}
}

// A connection whose endpoint goes takes nothing more, and what it has comes to
// its end.
func TestGoAwayInTheMiddle(t *testing.T) {
	conn := endpoint(t, nil, func(r *raw) {
		r.await(http2.FrameHeaders)
		_ = r.WriteGoAway(1, http2.ErrCodeNo, nil)
		_ = r.WritePing(false, [8]byte{})
		r.await(http2.FramePing)
		_ = r.headers(1, false, ":status", "200", "content-length", "2")
		_ = r.WriteData(1, true, []byte("ok"))
		r.rest()
	})
	s := begin(t, conn)
	early, _ := conn.Ask() // before it is known
	_, _ = io.WriteString(s, getRequest)
	res, err := http.ReadResponse(bufio.NewReader(s), nil)
	if err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(res.Body); string(body) != "ok" || err != nil {
		t.Errorf("got %q, %v", body, err)
	}
	if more, _ := conn.Ask(); more != nil {
		t.Error("it takes another stream")
	}
	if _, err := io.WriteString(early, getRequest); !Unprocessed(err) {
		t.Errorf("the stream that was not begun got %v", err)
	}
	_ = early.Close()
	_ = s.Close()
	<-conn.Ready()
	for range 1000 {
		if conn.Err() != nil {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Error("the connection does not end")
}

// An answer is HTTP/1.1 where it is read, whatever it is made of.
func TestAnswers(t *testing.T) {
	method := func(m string) string { return strings.Replace(getRequest, "GET", m, 1) }
	plain := []string{":status", "200"}
	for name, c := range map[string]struct {
		ask  string
		say  func(r *raw)
		want string // "" for none; else how it begins
		bad  bool   // it cannot be used
	}{
		"without a body":  {getRequest, func(r *raw) { _ = r.headers(1, true, ":status", "404", "x", "y") }, "HTTP/1.1 404 Not Found\r\nx: y\r\nContent-Length: 0\r\n", false},
		"HEAD":            {method("HEAD"), func(r *raw) { _ = r.headers(1, true, ":status", "200", "content-length", "7") }, "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n", false},
		"304":             {getRequest, func(r *raw) { _ = r.headers(1, true, ":status", "304", "content-length", "7") }, "HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n", false},
		"204":             {getRequest, func(r *raw) { _ = r.headers(1, true, ":status", "204") }, "HTTP/1.1 204 No Content\r\nConnection", false},
		"no status":       {getRequest, func(r *raw) { _ = r.headers(1, true, "x", "y") }, "", true},
		"two":             {getRequest, func(r *raw) { _ = r.headers(1, true, ":status", "200", ":status", "200") }, "", true},
		"no number":       {getRequest, func(r *raw) { _ = r.headers(1, true, ":status", "+20") }, "", true},
		"101":             {getRequest, func(r *raw) { _ = r.headers(1, false, ":status", "101") }, "", true},
		"an interim end":  {getRequest, func(r *raw) { _ = r.headers(1, true, ":status", "103") }, "", true},
		"a pseudo-field":  {getRequest, func(r *raw) { _ = r.headers(1, true, ":status", "200", ":path", "/") }, "", true},
		"upper case":      {getRequest, func(r *raw) { _ = r.headers(1, true, append(plain, "X", "y")...) }, "", true},
		"a line break":    {getRequest, func(r *raw) { _ = r.headers(1, true, append(plain, "x", "y\r\nz: a")...) }, "", true},
		"a length twice":  {getRequest, func(r *raw) { _ = r.headers(1, false, append(plain, "content-length", "1", "content-length", "2")...) }, "", true},
		"framing":         {getRequest, func(r *raw) { _ = r.headers(1, false, append(plain, "transfer-encoding", "chunked")...) }, "", true},
		"less than said":  {getRequest, func(r *raw) { _ = r.headers(1, true, append(plain, "content-length", "1")...) }, "", true},
		"far too large":   {getRequest, func(r *raw) { _ = r.headers(1, true, append(plain, "x", strings.Repeat("y", 16<<10))...) }, "", true},
		"data before all": {getRequest, func(r *raw) { _ = r.WriteData(1, true, []byte("x")) }, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			conn := endpoint(t, nil, func(r *raw) {
				r.await(http2.FrameHeaders)
				c.say(r)
				r.rest()
			})
			s := begin(t, conn)
			_, _ = io.WriteString(s, c.ask)
			b := make([]byte, 1000)
			n, err := s.Read(b)
			var bad *h1.Error
			if !strings.HasPrefix(string(b[:n]), c.want) || (c.want == "") != (err != nil) || c.bad != errors.As(err, &bad) {
				t.Errorf("got %q, %v", b[:n], err)
			}
		})
	}
}
