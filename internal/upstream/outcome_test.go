package upstream

import (
	"fmt"
	"net"
	"os"
	"syscall"
	"testing"
	"time"
)

// That this host has no port or descriptor left is not an endpoint's fault.
func TestWantHereEjectsNobody(t *testing.T) {
	for err, want := range map[error]Outcome{
		syscall.EADDRNOTAVAIL: Unable,
		&net.OpError{Op: "dial", Err: os.NewSyscallError("socket", syscall.EMFILE)}: Unable,
		fmt.Errorf("dial: %w", syscall.ECONNREFUSED):                                ConnectFailed,
		syscall.ENETUNREACH: ConnectFailed,
		syscall.ECONNRESET:  Reset,
	} {
		if got := Undialled(err); got != want {
			t.Errorf("%v: got %v, want %v", err, got, want)
		}
	}
	one, two := New(Identity{Address: "a"}, "", 1, false), New(Identity{Address: "b"}, "", 1, false)
	b := NewBackend("b", Rules{Eject: EjectRules{ConnectFailures: 1, Base: time.Minute, Max: time.Minute}}, [][]*Endpoint{{one, two}}, nil)
	now := time.Now()
	b.Observe(one, Unable, 0, now, now)
	if s := one.State(); s != "ready" {
		t.Error(s)
	}
}
