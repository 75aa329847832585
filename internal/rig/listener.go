//go:build linux

package rig

import (
	"net"
	"testing"
	"time"

	"rgate/internal/config"
	"rgate/internal/listen"
	"rgate/internal/rig/ends"
)

// Listen has the engine accept from another listener like the first, too.
func (r *Rig) Listen(t testing.TB) *listen.Listener {
	t.Helper()
	l := r.listener(t, socket(t))
	r.open(t, l)
	return l
}

// ListenAs is Listen for one that is as c says.
func (r *Rig) ListenAs(t testing.TB, c config.Listener) *listen.Listener {
	t.Helper()
	l := listen.New(socket(t), c)
	if c.TLS != nil {
		secured, _, err := listen.OpenTLS(c.TLS, listen.Supply{})
		if err != nil {
			t.Fatal(err)
		}
		l.Secure(secured)
	}
	r.open(t, l)
	return l
}

func (r *Rig) open(t testing.TB, l *listen.Listener) {
	t.Helper()
	if err := r.engines[len(r.engines)-1].Open(l); err != nil {
		t.Fatal(err)
	}
}

func socket(t testing.TB) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", ends.Address())
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// Drain lets a listener go, as the gateway does.
func (r *Rig) Drain(l *listen.Listener, linger time.Duration) {
	for _, e := range r.engines {
		e.Drain(l, linger)
	}
}

// Cut ends what is left of its connections.
func (r *Rig) Cut(l *listen.Listener) {
	for _, e := range r.engines {
		e.Cut(l)
	}
}
