//go:build linux

package conformance

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"rgate/internal/config"
	front "rgate/internal/listen"
	"rgate/internal/rig"
	"rgate/internal/rig/ends"
	"rgate/internal/trial"
)

// speaks runs a test by HTTP/2 in the clear and with TLS, on each engine. at is
// the URL that leads to the endpoint.
func speaks(t *testing.T, endpoint string, change func(*config.Config), f func(t *testing.T, h *talk)) {
	for _, engine := range rig.Engines {
		for _, scheme := range []string{"http", "https"} {
			t.Run(engine+" "+scheme, func(t *testing.T) {
				r := rig.Start(t, engine, change, endpoint)
				c := config.Listener{Protocols: config.H1 | config.H2C}
				if scheme == "https" {
					cert, key := trial.Certificate(t, t.TempDir(), "c", "127.0.0.1", "a.example")
					other, its := trial.Certificate(t, t.TempDir(), "o", "other.example")
					c = config.Listener{Protocols: config.H1 | config.H2, TLS: &config.ListenerTLS{Offers: config.H1 | config.H2, Certificates: []config.Certificate{
						{Cert: cert, Key: key, Default: true}, {Cert: other, Key: its},
					}}}
				}
				l := r.ListenAs(t, c)
				f(t, &talk{r, l, scheme + "://" + l.Addr().String(), knowing(t)})
			})
		}
	}
}

// talk is a gateway that takes HTTP/2, and a client of it.
type talk struct {
	*rig.Rig
	listener *front.Listener
	url      string
	*http.Client
}

// knowing is a client that speaks HTTP/2 and nothing else.
func knowing(t *testing.T) *http.Client {
	p := &http.Protocols{}
	p.SetUnencryptedHTTP2(true)
	p.SetHTTP2(true)
	transport := &http.Transport{Protocols: p, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{
		Transport: transport, Timeout: 30 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// do sends a request and reads its answer.
func (h *talk) do(t *testing.T, q *http.Request) (*http.Response, string) {
	t.Helper()
	resp, err := h.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return resp, "error: " + err.Error()
	}
	if resp.ProtoMajor != 2 {
		t.Errorf("it came by %s", resp.Proto)
	}
	return resp, string(body)
}

func request(t *testing.T, method, url string, body io.Reader) *http.Request {
	t.Helper()
	q, err := http.NewRequest(method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// manyAnswers is an endpoint.
func manyAnswers(w http.ResponseWriter, q *http.Request) {
	switch q.URL.Path {
	case "/empty":
		w.WriteHeader(204)
		return
	case "/same":
		w.Header().Set("Etag", `"1"`)
		w.WriteHeader(304)
		return
	case "/early":
		w.WriteHeader(413)
		return
	case "/hints":
		w.Header().Set("Link", "</a.css>")
		w.WriteHeader(103)
	case "/cut":
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, "half")
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	w.Header().Set("Trailer", "X-Sum")
	data, err := io.ReadAll(q.Body)
	fmt.Fprintf(w, "%s %s %s %s %v|", q.Method, q.URL, q.Header.Get("X-Forwarded-Proto"), q.Header.Get("Via"), err)
	_, _ = w.Write(data)
	w.Header().Set("X-Sum", fmt.Sprint(len(data), q.Trailer.Get("X-Trail")))
}

func TestHTTP2(t *testing.T) {
	speaks(t, ends.HTTP(t, manyAnswers), nil, func(t *testing.T, h *talk) {
		scheme, _, _ := strings.Cut(h.url, ":")
		resp, body := h.do(t, request(t, "GET", h.url+"/a?b", nil))
		if want := "GET /a?b " + scheme + " 2 rgate"; resp.StatusCode != 200 || !strings.HasPrefix(body, want) || resp.Trailer.Get("X-Sum") != "0" {
			t.Errorf("%s %q instead of %q, %v", resp.Status, body, want, resp.Trailer)
		}
		for path, status := range map[string]int{"/empty": 204, "/same": 304, "/hints": 200} {
			if resp, body := h.do(t, request(t, "GET", h.url+path, nil)); resp.StatusCode != status || strings.HasPrefix(body, "error") {
				t.Errorf("%s: %s %q", path, resp.Status, body)
			}
		}
		if resp, body := h.do(t, request(t, "HEAD", h.url+"/a", nil)); resp.StatusCode != 200 || body != "" {
			t.Errorf("HEAD: %s %q", resp.Status, body)
		}
		if _, body := h.do(t, request(t, "GET", h.url+"/cut", nil)); !strings.HasPrefix(body, "error") {
			t.Errorf("what broke off came as %q", body)
		}
	})
}

func TestHTTP2Bodies(t *testing.T) {
	speaks(t, ends.HTTP(t, manyAnswers), nil, func(t *testing.T, h *talk) {
		var all sync.WaitGroup
		for _, size := range []int{1, 20_000, 1_000_000} {
			all.Go(func() {
				data := strings.Repeat("x", size)
				q := request(t, "POST", h.url+"/up", strings.NewReader(data))
				if _, body := h.do(t, q); !strings.HasSuffix(body, "<nil>|"+data) {
					t.Errorf("%d bytes: %.60q…", size, body)
				}
				q = request(t, "POST", h.url+"/up", struct{ io.Reader }{bytes.NewReader([]byte(data))})
				q.Trailer = http.Header{"X-Trail": {"end"}}
				if resp, body := h.do(t, q); !strings.HasSuffix(body, "<nil>|"+data) || resp.Trailer.Get("X-Sum") != fmt.Sprint(size, "end") {
					t.Errorf("%d bytes in chunks: %.60q… %v", size, body, resp.Trailer)
				}
			})
		}
		all.Wait()
		q := request(t, "POST", h.url+"/early", endless{})
		if resp, _ := h.do(t, q); resp.StatusCode != 413 {
			t.Errorf("an early answer: %s", resp.Status)
		}
		if resp, _ := h.do(t, request(t, "GET", h.url+"/after", nil)); resp.StatusCode != 200 {
			t.Errorf("after it: %s", resp.Status)
		}
	})
}

// endless is a body without end.
type endless struct{}

func (endless) Read(b []byte) (int, error) { return len(b), nil }
