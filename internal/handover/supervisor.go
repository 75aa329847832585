package handover

import (
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
)

// Supervisor is the service manager above this process: systemd, or whatever
// else listens on NOTIFY_SOCKET. Telling a nil one does nothing, and so does
// telling anything once a successor has been named.
type Supervisor struct {
	Watchdog time.Duration // it wants to hear Alive at least this often; 0 for never

	log    *slog.Logger
	mu     sync.Mutex
	status string
	named  bool
}

// NewSupervisor reads from the environment who wants to be told what.
func NewSupervisor(log *slog.Logger) *Supervisor {
	s := &Supervisor{log: log}
	var err error
	if s.Watchdog, err = daemon.SdWatchdogEnabled(false); err != nil {
		log.Warn("the watchdog is not used", "error", err)
	}
	return s
}

// Feeding ticks as often as Alive is due, until stop is called. It never does
// where nobody wants to hear it.
func (s *Supervisor) Feeding() (tick <-chan time.Time, stop func()) {
	if s == nil || s.Watchdog <= 0 {
		return nil, func() {}
	}
	t := time.NewTicker(s.Watchdog / 3)
	return t.C, t.Stop
}

// Ready says that this process serves: after its start, and after Reloading.
func (s *Supervisor) Ready() { s.tell(daemon.SdNotifyReady) }

// Reloading says that the configuration is being read; Ready ends it.
func (s *Supervisor) Reloading() {
	s.tell(daemon.SdNotifyReloading, fmt.Sprintf("MONOTONIC_USEC=%d", monotonic().Microseconds()))
}

// Alive feeds the watchdog.
func (s *Supervisor) Alive() { s.tell(daemon.SdNotifyWatchdog) }

// Stopping says that this process ends.
func (s *Supervisor) Stopping() { s.tell(daemon.SdNotifyStopping, "STATUS=lets what is in flight end") }

// Status says in a few words how things are, if they have changed.
func (s *Supervisor) Status(text string) {
	if s == nil {
		return
	}
	s.mu.Lock()
	changed := s.status != text
	s.status = text
	s.mu.Unlock()
	if changed {
		s.tell("STATUS=" + text)
	}
}

// Succeeded names the process that the service is from now on. It is the old
// one that says so: only it knows that the new one was not given up.
func (s *Supervisor) Succeeded(pid int) {
	s.tell(fmt.Sprintf("MAINPID=%d", pid))
	if s != nil {
		s.mu.Lock()
		s.named = true
		s.mu.Unlock()
	}
}

func (s *Supervisor) tell(lines ...string) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.named {
		return
	}
	if _, err := daemon.SdNotify(false, strings.Join(lines, "\n")); err != nil {
		s.log.Debug("the service manager was not told", "what", lines[0], "error", err)
	}
}
