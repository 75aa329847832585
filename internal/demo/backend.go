package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// Backend answers every request with its own name and what it was asked, until
// ctx ends. It is what the demo's containers run.
func Backend(ctx context.Context, name, listen string) error {
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return fmt.Errorf("cannot listen on %s: %w", listen, err)
	}
	return serveBackend(ctx, name, l)
}

func serveBackend(ctx context.Context, name string, l net.Listener) error {
	server := &http.Server{Handler: backendHandler(name), ReadHeaderTimeout: 10 * time.Second}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	select {
	case err := <-ended:
		return fmt.Errorf("cannot serve any longer: %w", err)
	case <-ctx.Done():
	}
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	if err := server.Shutdown(bounded); errors.Is(err, context.DeadlineExceeded) {
		_ = server.Close()
	}
	<-ended
	return nil
}

// reply is what a backend answers.
type reply struct {
	AnsweredBy string `json:"answered_by"`
	Method     string `json:"method"`
	Path       string `json:"path"`
	Client     string `json:"client"`
	RequestID  string `json:"request_id"`
}

func backendHandler(name string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(reply{
			AnsweredBy: name, Method: r.Method, Path: r.URL.RequestURI(),
			Client: r.Header.Get("X-Forwarded-For"), RequestID: r.Header.Get("X-Request-Id"),
		})
	})
}
