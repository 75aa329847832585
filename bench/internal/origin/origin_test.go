//go:build linux

package origin

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"
)

func start(t *testing.T) netip.AddrPort {
	t.Helper()
	s, err := Listen(netip.MustParseAddrPort("127.0.0.1:0"))
	if err != nil {
		t.Fatal(err)
	}
	stop, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- s.Serve(stop) }()
	t.Cleanup(func() {
		close(stop)
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return s.Address
}

func TestAnswers(t *testing.T) {
	address := start(t)
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	for path, want := range map[string]int{"/0": 0, "/api/orders/128": 128, "/10240": 10 << 10, "/x/1048576": Largest} {
		for _, body := range []int{0, 1 << 10, 3 << 20} {
			resp, err := client.Post("http://"+address.String()+path, "text/plain", bytes.NewReader(make([]byte, body)))
			if err != nil {
				t.Fatal(err)
			}
			n, err := io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
			if err != nil || int(n) != want || resp.StatusCode != 200 {
				t.Errorf("%s with %d bytes: %d with %d (%v)", path, body, resp.StatusCode, n, err)
			}
		}
	}
}

func TestHeadComesBack(t *testing.T) {
	req, err := http.NewRequest("GET", "http://"+start(t).String()+"/api/head", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Request-Id", "seven")
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || !strings.Contains(string(text), "X-Request-Id: seven\r\n") {
		t.Errorf("%q (%v)", text, err)
	}
}

// In pieces, and several at once: answers come in order.
func TestPieces(t *testing.T) {
	c, err := net.Dial("tcp", start(t).String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	request := "POST /3 HTTP/1.1\r\nContent-Length: 2\r\n\r\nabGET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\n"
	go func() {
		for _, b := range []byte(request) {
			_, _ = c.Write([]byte{b})
		}
		_ = c.(*net.TCPConn).CloseWrite()
	}()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	text, err := io.ReadAll(c)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, part := range strings.Split(string(text), "HTTP/1.1 200 OK")[1:] {
		_, body, _ := strings.Cut(part, "\r\n\r\n")
		got = append(got, body)
	}
	if want := "[xxx x xx]"; fmt.Sprint(got) != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestRefusals(t *testing.T) {
	address := start(t)
	for _, request := range []string{
		"GET /nothing HTTP/1.1\r\n\r\n", "GET /1048577 HTTP/1.1\r\n\r\n", "nonsense\r\n\r\n",
		"POST /1 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", "POST /1 HTTP/1.1\r\nContent-Length: x\r\n\r\n",
	} {
		c, err := net.Dial("tcp", address.String())
		if err != nil {
			t.Fatal(err)
		}
		_ = c.SetDeadline(time.Now().Add(10 * time.Second))
		_, _ = io.WriteString(c, request)
		if text, err := io.ReadAll(c); err != nil || len(text) > 0 {
			t.Errorf("%q: %q (%v), want the end", request, text, err)
		}
		c.Close()
	}
}
