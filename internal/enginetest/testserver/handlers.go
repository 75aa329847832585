package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// handler answers every path; see its routes.
type handler struct {
	o       options
	started time.Time
	mux     *http.ServeMux
	served  atomic.Int64
}

func newHandler(o options, started time.Time) *handler {
	h := &handler{o: o, started: started, mux: http.NewServeMux()}
	h.mux.HandleFunc("/", h.hello)
	h.mux.HandleFunc("/healthz", h.healthz)
	h.mux.HandleFunc("/echo", h.echo)
	h.mux.HandleFunc("/echo/", h.echo)
	h.mux.HandleFunc("/status/{code}", h.status)
	h.mux.HandleFunc("/delay/{duration}", h.delay)
	h.mux.HandleFunc("/bytes/{n}", h.bytes)
	h.mux.HandleFunc("/stream", h.stream)
	h.mux.HandleFunc("/sse", h.sse)
	h.mux.HandleFunc("/discard", h.discard)
	h.mux.HandleFunc("/early", h.early)
	h.mux.HandleFunc("/trailers", h.trailers)
	h.mux.HandleFunc("/abort", h.abort)
	h.mux.HandleFunc("/garbage", h.garbage)
	h.mux.HandleFunc("/close", h.close)
	h.mux.HandleFunc("/ws", h.websocket)
	return h
}

// ServeHTTP serves an endpoint by the last part of the path that names one, so
// that tests reach it below any route's prefix: /api/orders/status/503 is
// /status/503. What /echo shows is untouched by that.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if c, ok := r.Context().Value(connKey{}).(*tap); ok {
		r = r.WithContext(context.WithValue(r.Context(), headKey{}, c.head(r)))
	}
	h.served.Add(1)
	w.Header().Set("X-Served-By", h.o.name)
	if r.URL.Path != "/healthz" && time.Since(h.started) < h.o.failFor {
		http.Error(w, "failing as told", http.StatusInternalServerError)
		return
	}
	for _, name := range []string{"/echo", "/status/", "/delay/", "/bytes/", "/stream", "/sse", "/discard",
		"/early", "/trailers", "/abort", "/garbage", "/close", "/ws", "/healthz"} {
		if i := strings.Index(r.URL.Path, name); i > 0 {
			r.URL.Path = r.URL.Path[i:]
			r.URL.RawPath = ""
			break
		}
	}
	if strings.HasPrefix(r.URL.Path, "/echo") { // the mux would redirect paths it finds unclean
		h.echo(w, r)
		return
	}
	h.mux.ServeHTTP(w, r)
}

func (h *handler) hello(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{
		"name": h.o.name, "path": r.URL.Path, "served": h.served.Load(), "uptime": time.Since(h.started).String(),
	})
}

func (h *handler) healthz(w http.ResponseWriter, _ *http.Request) {
	if time.Since(h.started) < h.o.unhealthyFor {
		http.Error(w, "not yet", http.StatusServiceUnavailable)
		return
	}
	_, _ = io.WriteString(w, "ok\n")
}

// echo answers the request's head as it came, then its decoded body.
func (h *handler) echo(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/octet-stream")
	_ = http.NewResponseController(w).EnableFullDuplex()
	head, _ := r.Context().Value(headKey{}).([]byte)
	_, _ = w.Write(head)
	_, _ = io.Copy(w, r.Body)
}

func (h *handler) status(w http.ResponseWriter, r *http.Request) {
	code, err := strconv.Atoi(r.PathValue("code"))
	if err != nil || code < 200 || code > 999 {
		http.Error(w, "no such status", http.StatusBadRequest)
		return
	}
	w.WriteHeader(code)
	if code != http.StatusNoContent && code != http.StatusNotModified {
		_, _ = fmt.Fprintf(w, "%d\n", code)
	}
}

func (h *handler) delay(w http.ResponseWriter, r *http.Request) {
	d, err := time.ParseDuration(r.PathValue("duration"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	select {
	case <-time.After(d):
		h.hello(w, r)
	case <-r.Context().Done():
		fmt.Println("the client went away during", r.URL.Path)
	}
}

func (h *handler) bytes(w http.ResponseWriter, r *http.Request) {
	n, err := strconv.ParseInt(r.PathValue("n"), 10, 64)
	if err != nil || n < 0 {
		http.Error(w, "no such size", http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Length", strconv.FormatInt(n, 10))
	if r.Method == http.MethodHead {
		return
	}
	block := []byte(strings.Repeat("0123456789abcdef", 2048))
	for n > 0 {
		part := min(n, int64(len(block)))
		if _, err := w.Write(block[:part]); err != nil {
			return
		}
		n -= part
	}
}

func (h *handler) stream(w http.ResponseWriter, r *http.Request) {
	h.pieces(w, r, "piece %d\n")
}

func (h *handler) sse(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	h.pieces(w, r, "data: %d\n\n")
}

// pieces writes and flushes ?n= pieces, ?interval= apart.
func (h *handler) pieces(w http.ResponseWriter, r *http.Request, format string) {
	n, _ := strconv.Atoi(r.URL.Query().Get("n"))
	interval, _ := time.ParseDuration(r.URL.Query().Get("interval"))
	out := http.NewResponseController(w)
	for i := range max(n, 1) {
		if i > 0 {
			select {
			case <-time.After(interval):
			case <-r.Context().Done():
				return
			}
		}
		_, _ = fmt.Fprintf(w, format, i)
		_ = out.Flush()
	}
}

func (h *handler) discard(w http.ResponseWriter, r *http.Request) {
	n, err := io.Copy(io.Discard, r.Body)
	if err != nil {
		fmt.Println("body cut:", err)
		return
	}
	_, _ = fmt.Fprintf(w, "%d\n", n)
}

func (h *handler) early(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Link", "</style.css>; rel=preload")
	w.WriteHeader(http.StatusEarlyHints)
	w.Header().Del("Link")
	h.hello(w, r)
}

func (h *handler) trailers(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Trailer", "X-Checksum")
	_, _ = io.WriteString(w, "body\n")
	_, _ = io.Copy(w, r.Body)
	w.Header().Set("X-Checksum", "abc")
	for key, values := range r.Trailer {
		w.Header()[http.TrailerPrefix+"X-Got-"+key] = values
	}
}

// abort promises 1000 bytes and cuts the connection after 10.
func (h *handler) abort(w http.ResponseWriter, _ *http.Request) {
	h.raw(w, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n0123456789")
}

// garbage answers what is no HTTP.
func (h *handler) garbage(w http.ResponseWriter, _ *http.Request) {
	h.raw(w, "\x16\x03\x01 this is no HTTP\r\n\r\n")
}

// close ends the connection without an answer.
func (h *handler) close(w http.ResponseWriter, _ *http.Request) {
	h.raw(w, "")
}

// raw writes bytes to the connection and closes it.
func (h *handler) raw(w http.ResponseWriter, answer string) {
	conn, _ := takeOver(w)
	if conn == nil {
		return
	}
	_, _ = io.WriteString(conn, answer)
	_ = conn.Close()
}

func takeOver(w http.ResponseWriter) (net.Conn, *bufio.ReadWriter) {
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return nil, nil
	}
	return conn, buffered
}
