//go:build linux

package conformance

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"rgate/internal/config"
	"rgate/internal/rig/ends"
)

// aCall is a call by HTTP/2, as clients of gRPC make them.
func aCall(t *testing.T, url string, body io.Reader) *http.Request {
	t.Helper()
	q := request(t, http.MethodPost, url, io.NopCloser(body)) // of no known length
	q.Header = http.Header{"Content-Type": {"application/grpc"}, "Te": {"trailers"}}
	return q
}

// chatty is an endpoint for calls: it echoes as it reads, in both directions at
// once.
func chatty(gone chan<- struct{}) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		control := http.NewResponseController(w)
		_ = control.EnableFullDuplex()
		w.Header().Set("Content-Type", "application/grpc")
		w.Header().Set("X-Said", r.Header.Get("X-Data-Bin"))
		w.Header().Set("Trailer", "Grpc-Status, Grpc-Message, X-Trail-Bin")
		w.WriteHeader(200)
		_ = control.Flush()
		if r.URL.Path == "/quiet" {
			_, _ = io.Copy(io.Discard, r.Body) // its connection is watched after that
			<-r.Context().Done()
			gone <- struct{}{}
			return
		}
		b := make([]byte, 64<<10)
		for {
			n, err := r.Body.Read(b)
			if n > 0 {
				_, _ = w.Write(b[:n])
				_ = control.Flush()
			}
			if err != nil {
				break
			}
		}
		w.Header().Set("Grpc-Status", "3")
		w.Header().Set("Grpc-Message", "%E2%82%AC")
		w.Header().Set("X-Trail-Bin", "AAEC")
	}
}

// Calls by HTTP/2: messages both ways at once, metadata, trailers, what rgate answers
// itself, and their ends before time.
func TestCallsByHTTP2(t *testing.T) {
	gone := make(chan struct{}, 1)
	speaks(t, ends.HTTP(t, chatty(gone)), func(c *config.Config) { c.Routes[0].PathPrefix = "/" }, func(t *testing.T, h *talk) {
		t.Run("messages in turn", func(t *testing.T) {
			pipe, in := io.Pipe()
			q := aCall(t, h.url+"/shop.Orders/Chat", pipe)
			q.Header.Set("X-Data-Bin", "q80=")
			res, err := h.Do(q)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			for i := range 20 {
				message := bytes.Repeat([]byte{byte(i)}, 1+i*5000)
				go func() { _, _ = in.Write(message) }()
				got := make([]byte, len(message))
				if _, err := io.ReadFull(res.Body, got); err != nil || !bytes.Equal(got, message) {
					t.Fatalf("message %d of %d bytes: %v", i, len(message), err)
				}
			}
			_ = in.Close()
			rest, err := io.ReadAll(res.Body)
			if len(rest) > 0 || err != nil || res.Header.Get("X-Said") != "q80=" || res.Trailer.Get("Grpc-Status") != "3" ||
				res.Trailer.Get("Grpc-Message") != "%E2%82%AC" || res.Trailer.Get("X-Trail-Bin") != "AAEC" {
				t.Errorf("%q, %v, %v, %v", rest, err, res.Header, res.Trailer)
			}
		})
		t.Run("a call that its client gives up", func(t *testing.T) {
			ctx, cancel := context.WithCancel(context.Background())
			res, err := h.Do(aCall(t, h.url+"/quiet", strings.NewReader("x")).WithContext(ctx))
			if err != nil {
				t.Fatal(err)
			}
			cancel()
			<-gone
			_ = res.Body.Close()
		})
		t.Run("a call whose time is over", func(t *testing.T) {
			q := aCall(t, h.url+"/quiet", strings.NewReader("x"))
			q.Header.Set("Grpc-Timeout", "200m")
			began := time.Now()
			res, err := h.Do(q)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadAll(res.Body); err == nil || time.Since(began) < 150*time.Millisecond {
				t.Errorf("it ended after %v: %v", time.Since(began), err)
			}
			<-gone
		})
	})
	speaks(t, ends.Nobody, nil, func(t *testing.T, h *talk) {
		res, body := h.do(t, aCall(t, h.url+"/shop.Orders/List", strings.NewReader("\x00\x00\x00\x00\x02hi")))
		if status(res) != "14" || res.StatusCode != 200 || body != "" || res.ContentLength > 0 {
			t.Errorf("%v, %q", res.Header, body)
		}
	})
}
