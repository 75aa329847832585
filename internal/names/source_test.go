package names

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"rgate/internal/discovery"
	"rgate/internal/trial"
)

func TestEachAddressOfANameIsAnEndpoint(t *testing.T) {
	dns := serveDNS(t)
	dns.put("one.test", "127.0.0.1")
	dns.put("two.test", "127.0.0.3", "127.0.0.2")
	w := dns.source().watched(t, "one.test:80", "two.test:81", "none.test:82")
	got := list(w.next()) // the first view has them all
	want := []string{
		"none.test:82: the name has no address",
		"one.test:80 127.0.0.1:80",
		"two.test:81 (127.0.0.2) 127.0.0.2:81", "two.test:81 (127.0.0.3) 127.0.0.3:81",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestANameThatMoves(t *testing.T) {
	dns := serveDNS(t)
	dns.put("db.test", "127.0.0.1")
	w := dns.source().watched(t, "db.test:80")
	w.until("db.test:80 127.0.0.1:80")
	dns.put("db.test", "127.0.0.2")
	if v := w.until("db.test:80 127.0.0.2:80"); v.Stale != "" || v.Candidates[0].ID != "db.test:80" {
		t.Errorf("got %+v", v)
	}
}

func TestAResolverThatIsAwayTakesNoAddressAway(t *testing.T) {
	dns := serveDNS(t)
	dns.put("db.test", "127.0.0.1")
	w := dns.source().watched(t, "db.test:80")
	w.until("db.test:80 127.0.0.1:80")
	dns.setAway(true)
	if v := w.until("db.test:80 127.0.0.1:80"); !strings.HasPrefix(v.Stale, "cannot look up db.test: ") {
		t.Errorf("stale: %q", v.Stale)
	}
	dns.put("db.test", "127.0.0.2")
	dns.setAway(false)
	if v := w.until("db.test:80 127.0.0.2:80"); v.Stale != "" {
		t.Errorf("stale: %q", v.Stale)
	}
}

// A process after an upgrade has what the one before it knew.
func TestAddressesFromBefore(t *testing.T) {
	dns := serveDNS(t)
	dns.put("db.test", "127.0.0.1")
	first := dns.source().watched(t, "db.test:80").next()
	dns.setAway(true)
	w := dns.source(Addresses([]discovery.View{first})...).watched(t, "db.test:80")
	if v := w.until("db.test:80 127.0.0.1:80"); v.Stale == "" {
		t.Error("it is not said that nobody answers for it")
	}
}

// A name that vanishes for a moment, as those of containers do that are
// replaced, keeps its address; one that is gone does not.
func TestANameThatVanishes(t *testing.T) {
	dns := serveDNS(t)
	dns.put("db.test", "127.0.0.1")
	w := dns.source().watched(t, "db.test:80")
	w.until("db.test:80 127.0.0.1:80")
	before := dns.questions("db.test")
	dns.put("db.test")
	w.until("db.test:80: the name has no address")
	if n := dns.questions("db.test") - before; n < 3 {
		t.Errorf("gone after %d answers", n)
	}
	dns.put("db.test", "127.0.0.1")
	w.until("db.test:80 127.0.0.1:80")
}

func TestANameIsLookedUpOnceAtATime(t *testing.T) {
	dns := serveDNS(t)
	dns.setAway(true)
	s := dns.source()
	s.timing.patience, s.timing.backoff, s.timing.again, s.timing.ceiling = 20*time.Millisecond, time.Hour, time.Hour, time.Hour
	w := s.watched(t, "db.test:80", "db.test:81")
	w.until("db.test:80: the name cannot be looked up: i/o timeout", "db.test:81: the name cannot be looked up: i/o timeout")
	asked := dns.questions("db.test")
	for range 20 { // a failure is remembered, whoever asks
		s.Select(selectorsOf("db.test:80", "db.test:81"))
		w.next()
	}
	if again := dns.questions("db.test"); again != asked || asked > 4 {
		t.Errorf("asked %d times, and then %d", asked, again)
	}
}

func TestSelectLooksForNewNames(t *testing.T) {
	dns := serveDNS(t)
	dns.put("a.test", "127.0.0.1")
	dns.put("b.test", "127.0.0.2")
	w := dns.source().watched(t, "a.test:80")
	w.until("a.test:80 127.0.0.1:80")
	w.Select(selectorsOf("b.test:80"))
	v := w.until("b.test:80 127.0.0.2:80")
	if len(v.Selectors) != 1 || v.Selectors[0].Names[0] != "b.test:80" {
		t.Errorf("the view is for %+v", v.Selectors)
	}
	w.Select(nil)
	w.until()
}

// Of a name with both families, what does not accept is no endpoint while
// something does.
func TestAFamilyThatNobodyListensOn(t *testing.T) {
	port := trial.Port(t)
	l, err := net.Listen("tcp", fmt.Sprint("127.0.0.1:", port))
	if err != nil {
		t.Fatal(err)
	}
	dns := serveDNS(t)
	dns.put("both.test", "::1", "127.0.0.1")
	name := fmt.Sprint("both.test:", port)
	w := dns.source().watched(t, name)
	w.until(name+" "+l.Addr().String(), name+" (::1): it accepts no connections, as another address of the name does")
	other, err := net.Listen("tcp6", fmt.Sprint("[::1]:", port))
	if err != nil {
		_ = l.Close()
		t.Skip("no IPv6 here")
	}
	both := []string{name + " (127.0.0.1) " + l.Addr().String(), name + " (::1) " + other.Addr().String()}
	w.until(both...)
	_ = l.Close() // from now on they are endpoints like any: ejection says what to do
	_ = other.Close()
	if v := dns.source().watched(t, name).next(); strings.Join(list(v), "\n") != strings.Join(both, "\n") {
		t.Errorf("nothing accepts, and got %q", list(v))
	}
}

func TestSurvey(t *testing.T) {
	dns := serveDNS(t)
	dns.put("db.test", "127.0.0.1")
	s := dns.source()
	s.Select(selectorsOf("db.test:80"))
	if got := list(s.Survey(context.Background())); len(got) != 1 || got[0] != "db.test:80 127.0.0.1:80" {
		t.Errorf("got %q", got)
	}
}
