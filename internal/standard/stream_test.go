package standard

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"testing"
	"time"

	"rgate/internal/rig/ends"
)

func TestResponsesFlushAsTheyCome(t *testing.T) {
	t.Parallel()
	step := make(chan struct{})
	r := start(t, nil, backend(t, func(w http.ResponseWriter, q *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for i := range 3 {
			fmt.Fprintf(w, "data: %d\n\n", i)
			w.(http.Flusher).Flush()
			<-step
		}
	}))
	res, err := http.Get("http://" + r.addr + "/")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	lines := bufio.NewReader(res.Body)
	for i := range 3 {
		line, err := lines.ReadString('\n')
		if want := fmt.Sprintf("data: %d\n", i); line != want {
			t.Fatalf("%q, want %q (%v)", line, want, err)
		}
		_, _ = lines.ReadString('\n')
		step <- struct{}{} // only now may the endpoint go on
	}
	http.DefaultClient.CloseIdleConnections()
}

func TestRequestsStreamWhileTheyCome(t *testing.T) {
	t.Parallel()
	r := start(t, nil, backend(t, func(w http.ResponseWriter, q *http.Request) {
		rc := http.NewResponseController(w)
		_ = rc.EnableFullDuplex()
		in := bufio.NewReader(q.Body)
		for {
			line, err := in.ReadString('\n')
			if err != nil {
				return
			}
			io.WriteString(w, line)
			_ = rc.Flush()
		}
	}))
	p := r.dial()
	p.say("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")
	p.say("4\r\none\n\r\n")
	res, err := http.ReadResponse(p.r, nil)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(res.Body)
	for _, word := range []string{"two\n", "six\n", ""} {
		line, _ := lines.ReadString('\n')
		if len(line) != 4 {
			t.Fatalf("got %q", line)
		}
		if word != "" {
			p.say("4\r\n%s\r\n", word)
		}
	}
	p.say("0\r\n\r\n")
	if rest, err := io.ReadAll(lines); err != nil || len(rest) > 0 {
		t.Errorf("end: %q %v", rest, err)
	}
}

func TestBodiesOfAnySize(t *testing.T) {
	t.Parallel()
	r := start(t, nil, backend(t, func(w http.ResponseWriter, q *http.Request) {
		body, _ := io.ReadAll(q.Body)
		w.Header().Set("Got-Length", fmt.Sprint(q.ContentLength))
		_, _ = w.Write(body)
	}))
	client := &http.Client{}
	defer client.CloseIdleConnections()
	for _, size := range []int{0, 1, 4000, 64 << 10, 64<<10 + 1, 5 << 20} {
		for _, method := range []string{"POST", "PUT"} {
			for _, chunked := range []bool{false, true} {
				sent := bytes.Repeat([]byte("x"), size)
				var body io.Reader = bytes.NewReader(sent)
				if chunked {
					body = io.MultiReader(body)
				}
				q, _ := http.NewRequest(method, "http://"+r.addr, body)
				res, err := client.Do(q)
				if err != nil {
					t.Fatal(err)
				}
				got, _ := io.ReadAll(res.Body)
				res.Body.Close()
				if res.StatusCode != 200 || !bytes.Equal(got, sent) {
					t.Errorf("%s %d chunked %v: %d, %d bytes back", method, size, chunked, res.StatusCode, len(got))
				}
				if want := fmt.Sprint(size); !chunked && res.Header.Get("Got-Length") != want {
					t.Errorf("%s %d: length became %s", method, size, res.Header.Get("Got-Length"))
				}
			}
		}
	}
	r.eventually("bytes are counted", func() bool {
		s := r.gate.Table().Total()
		return s.BytesIn == s.BytesOut && s.BytesIn > 20<<20 && s.InFlight == 0
	})
}

func TestTrailersBothWays(t *testing.T) {
	t.Parallel()
	r := start(t, nil, backend(t, func(w http.ResponseWriter, q *http.Request) {
		w.Header().Set("Trailer", "X-Sum")
		body, _ := io.ReadAll(q.Body)
		_, _ = w.Write(body)
		w.Header().Set("X-Sum", q.Trailer.Get("X-Check"))
		w.Header().Set(http.TrailerPrefix+"X-Late", q.Trailer.Get("X-Late"))
	}))
	p := r.dial()
	p.say("POST / HTTP/1.1\r\nHost: h\r\nTE: trailers\r\nTrailer: X-Check\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX-Check: 12\r\nX-Late: 34\r\n\r\n")
	res, text := p.response("POST")
	if text != "hi" || res.Trailer.Get("X-Sum") != "12" || res.Trailer.Get("X-Late") != "34" {
		t.Errorf("%q %v", text, res.Trailer)
	}
}

func TestExpectContinue(t *testing.T) {
	t.Parallel()
	r := start(t, nil, backend(t, func(w http.ResponseWriter, q *http.Request) {
		if q.URL.Path == "/no" {
			w.WriteHeader(403)
			return
		}
		_, _ = io.Copy(w, q.Body)
	}))
	p := r.dial()
	p.say("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
	if head := readHead(p.r); head != "HTTP/1.1 100 Continue\r\n\r\n" {
		t.Fatalf("%q", head)
	}
	p.say("body")
	if res, text := p.response("POST"); res.StatusCode != 200 || text != "body" {
		t.Errorf("%d %q", res.StatusCode, text)
	}
	p = r.dial()
	p.say("POST /no HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
	if res, _ := p.response("POST"); res.StatusCode != 403 {
		t.Errorf("no 100 was to come, but %d", res.StatusCode)
	}
}

func TestInterimAnswers(t *testing.T) {
	t.Parallel()
	r := start(t, nil, backend(t, func(w http.ResponseWriter, q *http.Request) {
		w.Header().Set("Link", "</a>; rel=preload")
		w.WriteHeader(103)
		w.Header().Del("Link")
		io.WriteString(w, "done")
	}))
	var hints string
	trace := &httptrace.ClientTrace{Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
		hints = fmt.Sprint(code, h.Get("Link"), h["Content-Type"])
		return nil
	}}
	q, _ := http.NewRequest("GET", "http://"+r.addr, nil)
	q.Close = true
	res, err := http.DefaultClient.Do(q.WithContext(httptrace.WithClientTrace(t.Context(), trace)))
	if err != nil {
		t.Fatal(err)
	}
	text, _ := io.ReadAll(res.Body)
	res.Body.Close()
	if hints != "103</a>; rel=preload[]" || string(text) != "done" || res.Header.Get("Link") != "" {
		t.Errorf("%q %q %v", hints, text, res.Header)
	}
	p := r.dial()
	p.say("GET / HTTP/1.0\r\n\r\n")
	if res, text := p.response("GET"); res.StatusCode != 200 || text != "done" {
		t.Errorf("HTTP/1.0: %d %q", res.StatusCode, text)
	}
	r.eventually("interim answers are not counted", func() bool {
		s := r.gate.Table().Total()
		return s.Report().Requests.Success == 2 && s.Informational == 0
	})
}

func TestAnswersWithoutBodies(t *testing.T) {
	t.Parallel()
	r := start(t, nil, backend(t, func(w http.ResponseWriter, q *http.Request) {
		switch q.URL.Path {
		case "/204":
			w.WriteHeader(204)
		case "/304":
			w.Header().Set("Etag", `"x"`)
			w.WriteHeader(304)
		default:
			w.Header().Set("Content-Length", "1234")
			_, _ = w.Write(bytes.Repeat([]byte("x"), 1234))
		}
	}))
	p := r.dial() // all on one connection: a body too many would show
	for range 2 {
		p.say("HEAD / HTTP/1.1\r\nHost: h\r\n\r\nGET /204 HTTP/1.1\r\nHost: h\r\n\r\nGET /304 HTTP/1.1\r\nHost: h\r\n\r\n")
		res, _ := p.response("HEAD")
		if res.StatusCode != 200 || res.ContentLength != 1234 || res.Header.Get("Content-Type") == "" {
			t.Errorf("HEAD: %v", res)
		}
		if res, text := p.response("GET"); res.StatusCode != 204 || text != "" || res.Header.Get("Content-Length") != "" {
			t.Errorf("204: %v", res)
		}
		if res, text := p.response("GET"); res.StatusCode != 304 || text != "" || res.Header.Get("Etag") != `"x"` {
			t.Errorf("304: %v", res)
		}
	}
}

func TestOldClients(t *testing.T) {
	t.Parallel()
	r := start(t, nil, rawBackend(t, func(_ int, c net.Conn, in *bufio.Reader) {
		readHead(in)
		io.WriteString(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
	}))
	p := r.dial()
	p.say("GET / HTTP/1.0\r\n\r\n")
	all, err := io.ReadAll(p.r)
	if err != nil || strings.Contains(string(all), "chunked") || !strings.HasSuffix(string(all), "\r\n\r\nabc") ||
		strings.Contains(string(all), "Content-Type") {
		t.Errorf("%q %v", all, err)
	}
}

func TestClientGone(t *testing.T) {
	t.Parallel()
	began, ended := make(chan struct{}), make(chan struct{})
	r := start(t, nil, backend(t, func(w http.ResponseWriter, q *http.Request) {
		close(began)
		<-q.Context().Done()
		close(ended)
	}))
	p := r.dial()
	p.say("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	<-began
	p.Close()
	select {
	case <-ended:
	case <-time.After(ends.Patience):
		t.Fatal("the request to the endpoint was not cancelled")
	}
	r.eventually("499 is counted", func() bool {
		s := r.gate.Table().Routes[0].Targets[0].Stats.Snapshot()
		return s.InFlight == 0 && r.counted(4) == 1
	})
}

func TestBrokenOffResponse(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, head, version, want string }{
		{"length", "Content-Length: 100", "1.1", "unexpected EOF"},
		{"chunked", "Transfer-Encoding: chunked", "1.1", "unexpected EOF"},
		{"length, old client", "Content-Length: 100", "1.0", "unexpected EOF"},
		{"chunked, old client", "Transfer-Encoding: chunked", "1.0", "connection reset"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := start(t, nil, rawBackend(t, func(_ int, b net.Conn, in *bufio.Reader) {
				readHead(in)
				io.WriteString(b, "HTTP/1.1 200 OK\r\n"+c.head+"\r\n\r\n3\r\nabc\r\n")
			}))
			p := r.dial()
			p.say("GET / HTTP/%s\r\nHost: h\r\n\r\n", c.version)
			res, err := http.ReadResponse(p.r, nil)
			if err == nil {
				_, err = io.ReadAll(res.Body)
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v", err)
			}
			r.eventually("it is logged", func() bool { return strings.Contains(r.logs.String(), "reason=upstream_truncated") })
			r.eventually("it is counted as what was sent, and as truncated", func() bool {
				s, e := r.gate.Table().Total(), r.gate.Table().Endpoints()[0].Stats.Snapshot()
				return s.Success() == 1 && s.Truncated == 1 && e.Success() == 1 && e.Truncated == 1
			})
		})
	}
}
