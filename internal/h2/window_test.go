package h2

import (
	"bytes"
	"io"
	"net/http"
	"testing"
	"time"

	"golang.org/x/net/http2"
)

var get = encoded(":method", "GET", ":scheme", "http", ":authority", "a", ":path", "/")

func (r *raw) ask(id uint32, end bool) {
	r.t.Helper()
	if err := r.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: get, EndHeaders: true, EndStream: end}); err != nil {
		r.t.Fatal(err)
	}
}

// data reads so many bytes of a stream, whole frames of them.
func (r *raw) data(id uint32, n int) (got []byte, ended bool) {
	r.t.Helper()
	for len(got) < n {
		f := r.until(func(f http2.Frame) bool { d, ok := f.(*http2.DataFrame); return ok && d.StreamID == id }).(*http2.DataFrame)
		got = append(got, f.Data()...)
		ended = f.StreamEnded()
	}
	return got, ended
}

// silent tells that no DATA comes, by the answer to a PING.
func (r *raw) silent(mark byte) {
	r.t.Helper()
	if err := r.WritePing(false, [8]byte{mark}); err != nil {
		r.t.Fatal(err)
	}
	r.until(func(f http2.Frame) bool {
		if d, ok := f.(*http2.DataFrame); ok {
			r.t.Fatalf("%v comes beyond the window", d)
		}
		p, ok := f.(*http2.PingFrame)
		return ok && p.IsAck() && p.Data[0] == mark
	})
}

// An answer goes as far as the window of its client, which may be nothing, and
// less than that.
func TestWindowsOfTheClient(t *testing.T) {
	text := bytes.Repeat([]byte("0123456789"), 100)
	addr := serve(t, nil, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(text) })
	window := func(n uint32) http2.Setting { return http2.Setting{ID: http2.SettingInitialWindowSize, Val: n} }
	r := dial(t, addr, window(0))
	r.ask(1, true)
	r.until(func(f http2.Frame) bool { return f.Header().Type == http2.FrameHeaders })
	r.silent(1)
	_ = r.WriteWindowUpdate(1, 1)
	if got, _ := r.data(1, 1); string(got) != "0" {
		t.Errorf("%q", got)
	}
	_ = r.WriteSettings(window(10)) // which makes it 10
	got, _ := r.data(1, 10)
	_ = r.WriteSettings(window(0)) // now it is -10
	_ = r.WriteWindowUpdate(1, 10)
	r.silent(2)
	_ = r.WriteWindowUpdate(1, 100_000)
	rest, ended := r.data(1, len(text)-11)
	if all := append(append([]byte("0"), got...), rest...); !bytes.Equal(all, text) || !ended {
		t.Errorf("%d bytes came, ended: %t", len(all), ended)
	}
}

// The connection's window is shared, and what one stream's client does not open
// holds nobody else up.
func TestStreamsTakeTurns(t *testing.T) {
	text := make([]byte, 300_000)
	addr := serve(t, nil, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(text) })
	r := dial(t, addr)
	for id := uint32(1); id < 20; id += 2 {
		r.ask(id, true)
	}
	_, _ = r.data(1, 0)
	_ = r.WriteWindowUpdate(0, 1<<30)
	for id := uint32(3); id < 20; id += 2 {
		_ = r.WriteWindowUpdate(id, 1<<20)
	}
	left := 9
	seen := map[uint32]int{}
	for left > 0 {
		f := r.until(func(f http2.Frame) bool { return f.Header().Type == http2.FrameData }).(*http2.DataFrame)
		if seen[f.StreamID] += len(f.Data()); f.StreamEnded() {
			left--
		}
	}
	if seen[1] != firstWindow || seen[3] != len(text) {
		t.Errorf("%v", seen)
	}
}

// A request is taken no further than it is read.
func TestWindowsOfTheServer(t *testing.T) {
	may := make(chan struct{})
	sums := make(chan int64, 1)
	addr := serve(t, nil, func(_ http.ResponseWriter, q *http.Request) {
		<-may
		n, _ := io.Copy(io.Discard, q.Body)
		sums <- n
	})
	r := dial(t, addr)
	r.ask(1, false)
	sent := 0
	for ; sent < streamWindow; sent += maxFrame {
		if err := r.WriteData(1, false, make([]byte, maxFrame)); err != nil {
			t.Fatal(err)
		}
	}
	_ = r.WritePing(false, [8]byte{1})
	r.until(func(f http2.Frame) bool { // http.Server reads 4 KB ahead, which is worth no frame
		if u, ok := f.(*http2.WindowUpdateFrame); ok && u.StreamID == 1 {
			t.Errorf("%v comes with nothing read", u)
		}
		p, ok := f.(*http2.PingFrame)
		return ok && p.IsAck()
	})
	close(may)
	opened := 0
	for opened < streamWindow/2 {
		f := r.until(func(f http2.Frame) bool { u, ok := f.(*http2.WindowUpdateFrame); return ok && u.StreamID == 1 })
		opened += int(f.(*http2.WindowUpdateFrame).Increment)
	}
	_ = r.WriteData(1, true, nil)
	if n := <-sums; n != int64(sent) {
		t.Errorf("%d of %d bytes were read", n, sent)
	}
}

// Whoever sends more than a window has room for loses the stream, or all of them.
func TestMoreThanTheWindow(t *testing.T) {
	for streams, want := range map[int]string{1: "", 5: "more DATA than the connection's window"} {
		c := New(Options{Streams: 10, Head: 1 << 10, Fields: 10})
		feed(t, c, []byte(Preface), appendFrame(nil, 0, kindSettings, 0, 0))
		var wrong error
		for id := uint32(1); id < uint32(2*streams); id += 2 {
			feed(t, c, appendBlock(nil, id, get, false, maxFrame))
			for range streamWindow / maxFrame {
				if _, err := c.Feed(append(appendFrame(nil, maxFrame, kindData, 0, id), make([]byte, maxFrame)...)); err != nil {
					wrong = err
				}
			}
		}
		if want != "" {
			if wrong == nil || wrong.(*ConnError).Text != want {
				t.Errorf("%v", wrong)
			}
			continue
		}
		if _, err := c.Feed(append(appendFrame(nil, 1, kindData, 0, 1), 0)); err != nil || wrong != nil {
			t.Error(err, wrong)
		}
		if _, err := c.Opened()[0].Read(make([]byte, 1)); err == nil || err.(*StreamError).Code != FlowControlError {
			t.Error(err)
		}
	}
}

// Deadlines cut a wait short, on either side, and what went is told.
func TestDeadlines(t *testing.T) {
	c := New(Options{Streams: 10, Head: 1 << 10, Fields: 10})
	feed(t, c, []byte(Preface), appendFrame(nil, 0, kindSettings, 0, 0), appendBlock(nil, 1, get, false, maxFrame))
	s := c.Opened()[0]
	buf := make([]byte, 1000)
	n, err := s.Read(buf)
	if err != nil || !bytes.HasPrefix(buf[:n], []byte("GET / HTTP/1.1\r\n")) {
		t.Fatalf("%q %v", buf[:n], err)
	}
	_ = s.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
	if _, err := s.Read(buf); !late(err) {
		t.Error(err)
	}
	done := make(chan error)
	_ = s.SetReadDeadline(time.Time{})
	go func() {
		_, err := s.Read(buf)
		done <- err
	}()
	_ = s.SetReadDeadline(past)
	if err := <-done; !late(err) {
		t.Error(err)
	}
	head := "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"
	_ = s.SetWriteDeadline(time.Now().Add(50 * time.Millisecond))
	n, err = s.Write(append([]byte(head), make([]byte, 100_000)...))
	if !late(err) || n < len(head)+mostOut || n > len(head)+firstWindow {
		t.Errorf("%d bytes went: %v", n, err)
	}
	_ = s.Close()
	if _, err := s.Read(buf); err == nil {
		t.Error("it is read after it was closed")
	}
}

func late(err error) bool {
	timeout, ok := err.(interface{ Timeout() bool })
	return ok && timeout.Timeout()
}
