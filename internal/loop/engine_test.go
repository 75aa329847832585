//go:build linux

package loop

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

func TestRelaysBodiesOfAllSizesBothWays(t *testing.T) {
	g := start(t, nil, serve(t, func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		if r.URL.Query().Get("sized") != "" {
			w.Header().Set("Content-Length", fmt.Sprint(len(b)))
		}
		_, _ = w.Write(b)
	}))
	client := &http.Client{}
	defer client.CloseIdleConnections()
	for _, size := range []int{0, 1, 100, 16 << 10, 16<<10 + 1, 70_000, 3 << 20} {
		for _, chunked := range []bool{false, true} {
			body := bytes.Repeat([]byte("0123456789abcde\n"), size/16+1)[:size]
			for _, query := range []string{"", "?sized=1"} {
				var r io.Reader = bytes.NewReader(body)
				if chunked {
					r = io.MultiReader(r)
				}
				res, err := client.Post("http://"+g.addr+"/"+query, "text/plain", r)
				if err != nil {
					t.Fatal(size, chunked, err)
				}
				got, err := io.ReadAll(res.Body)
				_ = res.Body.Close()
				if err != nil || res.StatusCode != 200 || !bytes.Equal(got, body) {
					t.Fatalf("size %d chunked %v%s: %d, %d bytes, %v", size, chunked, query, res.StatusCode, len(got), err)
				}
			}
		}
	}
}

func TestAnswersPipelinedRequestsInOrder(t *testing.T) {
	g := start(t, nil, serve(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprintf(w, "<%s>", r.URL.Path) }))
	c := g.dial()
	var all strings.Builder
	for i := range 50 {
		fmt.Fprintf(&all, "GET /%d HTTP/1.1\r\nHost: x\r\n\r\n", i)
	}
	if _, err := io.WriteString(c, all.String()); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(c)
	for i := range 50 {
		res, err := http.ReadResponse(r, nil)
		if err != nil {
			t.Fatal(i, err)
		}
		b, _ := io.ReadAll(res.Body)
		if want := fmt.Sprintf("</%d>", i); string(b) != want {
			t.Fatalf("got %q, want %q", b, want)
		}
	}
}

func TestEndsBrokenAnswersVisibly(t *testing.T) {
	for name, f := range map[string]struct{ answer, want, not string }{
		"rubbish":     {"nonsense\r\n\r\n", "HTTP/1.1 502 ", ""},
		"two bodies":  {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 502 ", ""},
		"truncated":   {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", "hel", "\r\n0\r\n"},
		"bad chunk":   {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloXX", "HTTP/1.1 200 ", "\r\n0\r\n"},
		"upgrade":     {"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", "HTTP/1.1 502 ", ""},
		"until close": {"HTTP/1.1 200 OK\r\n\r\nhello", "5\r\nhello\r\n0\r\n\r\n", ""},
		"too long":    {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhello", "\r\n\r\nhe", "hel"},
	} {
		t.Run(name, func(t *testing.T) {
			g := start(t, nil, script(t, f.answer))
			got := g.exchange("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
			if !strings.Contains(got, f.want) || f.not != "" && strings.Contains(got, f.not) {
				t.Errorf("got %q", got)
			}
		})
	}
}
