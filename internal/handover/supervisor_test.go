package handover

import (
	"bytes"
	"log/slog"
	"net"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestWhatTheSupervisorIsTold(t *testing.T) {
	name := filepath.Join(t.TempDir(), "notify")
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	t.Setenv("NOTIFY_SOCKET", name)
	t.Setenv("WATCHDOG_USEC", "3000000")
	s := NewSupervisor(slog.New(slog.DiscardHandler))
	if s.Watchdog != 3*time.Second {
		t.Errorf("watchdog after %v", s.Watchdog)
	}
	s.Ready()
	s.Reloading()
	s.Alive()
	s.Status("well")
	s.Status("well")
	s.Status("ill")
	s.Stopping()
	s.Succeeded(7)
	s.Alive() // and nothing any more
	s.Status("over")
	b := make([]byte, 1000)
	for _, want := range []string{
		"READY=1", `RELOADING=1\nMONOTONIC_USEC=[1-9]\d+`, "WATCHDOG=1", "STATUS=well", "STATUS=ill", `STOPPING=1\nSTATUS=.+`, "MAINPID=7",
	} {
		_ = socket.SetReadDeadline(time.Now().Add(30 * time.Second))
		n, err := socket.Read(b)
		if err != nil || !regexp.MustCompile("^"+want+"$").Match(b[:n]) {
			t.Fatalf("%q instead of %q, %v", b[:n], want, err)
		}
	}
	_ = socket.SetReadDeadline(time.Now().Add(time.Millisecond))
	if n, err := socket.Read(b); err == nil {
		t.Errorf("it was told %q after a successor was named", b[:n])
	}
}

func TestNobodySupervises(t *testing.T) {
	var log bytes.Buffer
	debug := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	for _, s := range []*Supervisor{nil, NewSupervisor(debug)} {
		s.Ready()
		s.Reloading()
		s.Status("well")
		s.Succeeded(7)
		s.Stopping()
	}
	if log.Len() > 0 {
		t.Errorf("logged:\n%s", &log)
	}
	t.Setenv("WATCHDOG_USEC", "soon")
	t.Setenv("NOTIFY_SOCKET", filepath.Join(t.TempDir(), "none"))
	NewSupervisor(debug).Ready()
	for _, want := range []string{"the watchdog is not used", "was not told", "READY=1"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log lacks %q:\n%s", want, &log)
		}
	}
}
