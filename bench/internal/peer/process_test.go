//go:build linux

package peer

import (
	"net"
	"net/netip"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// nobody is a peer that ends without listening.
func nobody(argv ...string) Peer {
	return Peer{
		Name:   "nobody",
		argv:   func(string) []string { return argv },
		config: func(Site) map[string]string { return map[string]string{"a.conf": "x"} },
	}
}

func TestStartTellsWhyNot(t *testing.T) {
	s := site(t)
	s.Listen = netip.MustParseAddrPort("127.0.0.1:1")
	_, err := nobody("sh", "-c", "echo no such thing; exit 3").Start(s, Place{})
	if err == nil || !strings.Contains(err.Error(), "no such thing") {
		t.Errorf("error %v, want what the process said", err)
	}
}

// Stop ends the process and those it has started, which are waited for.
func TestStop(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0") // stands in for what the process does not do
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	s := site(t)
	s.Listen = netip.MustParseAddrPort(l.Addr().String())
	master := nobody("sh", "-c", "trap '' TERM; sleep 600 & wait; wait")
	master.workers = 1
	r, err := master.Start(s, Place{Nice: 1, Batch: true})
	if err != nil {
		t.Fatal(err)
	}
	const batch = 3 // SCHED_BATCH
	if attr, err := unix.SchedGetAttr(r.PIDs()[0], 0); err != nil || attr.Policy != batch || attr.Nice != 1 {
		t.Errorf("it runs under %+v (%v)", attr, err)
	}
	if !r.Alive() {
		t.Fatalf("it ended: %s", r.Output())
	}
	r.Stop()
	if r.Alive() {
		t.Error("it lives on")
	}
	if _, err := CPU(r.PIDs()[:1]); err == nil {
		t.Error("its process is still there")
	}
}
