package demo

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
)

// lying is an engine that is there, and whose answers are f's.
func lying(t *testing.T, f http.HandlerFunc) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "e.sock")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if w.Header().Set("Api-Version", "1.41"); !strings.HasSuffix(r.URL.Path, "/_ping") {
			f(w, r)
		}
	})}
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close(); <-done })
	t.Setenv("DOCKER_HOST", "unix://"+path)
}

// What an engine says is shown as Plain has it.
func TestAnEnginesErrorsSteerNoTerminal(t *testing.T) {
	said, _ := json.Marshal(map[string]string{"message": "\x1b[2J\nready"})
	lying(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = w.Write(said)
	})
	s := start(t, Options{Plain: func(text string) string { return fmt.Sprintf("%q", text) }})
	if out := s.out.String(); strings.Contains(out, "\x1b") || !strings.Contains(out, `\x1b[2J\nready`) {
		t.Errorf("the demo said %q", out)
	}
	if err := s.end(); err != nil {
		t.Error(err)
	}
}

// An answer without end is no list, and fills no memory.
func TestAnEngineThatNeverEnds(t *testing.T) {
	lying(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, "[")
		for more := strings.Repeat(`{"Id":"x","State":"running"},`, 1000); ; {
			if _, err := io.WriteString(w, more); err != nil {
				return
			}
		}
	})
	s := start(t, Options{})
	if out := s.out.String(); !strings.Contains(out, errTalkative.Error()) {
		t.Errorf("the demo said %q", out)
	}
	if err := s.end(); err != nil {
		t.Error(err)
	}
}
