package stats

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func count(c *Counters) {
	c.Begin()
	c.End(Record{Status: 200, Duration: time.Millisecond})
}

// The same key has the same counters, also after it was out of use.
func TestALedgerKeepsWhatItOpened(t *testing.T) {
	l := NewLedger()
	a := l.Open(Key{"one", "route /a"})
	if l.Open(Key{"one", "route /a"}) != a || l.Open(Key{"two", "route /a"}) == a {
		t.Error("counters are mixed up")
	}
	count(a)
	l.Keep(nil)
	if again := l.Open(Key{"one", "route /a"}); again != a {
		t.Error("an exchange that has begun would count on what nobody reads")
	}
}

// What is gone is counted with its group; its counters are let go once nothing
// can count on them any more, and the number of entries does not grow.
func TestALedgerLetsGoOfWhatIsGone(t *testing.T) {
	l := NewLedger()
	for i := range 1000 {
		count(l.Open(Key{"one", fmt.Sprint("route /", i)}))
	}
	busy := l.Open(Key{"one", "route /busy"})
	busy.Begin()
	l.Keep(nil)
	l.mu.Lock()
	l.settle(time.Now().Add(settling + time.Second))
	n := len(l.entries)
	l.mu.Unlock()
	if n != 2 {
		t.Errorf("%d entries are kept, want the sum and the one that is busy", n)
	}
	busy.End(Record{Status: 200})
	one := l.Sum(func(k Key) bool { return k.Group == "one" })
	if got := one.Success(); got != 1001 {
		t.Errorf("the group counts %d, want 1001", got)
	}
	if all := l.Sum(nil); all.Success() != 1001 || all.InFlight != 0 {
		t.Errorf("the sum is %d with %d in flight", all.Success(), all.InFlight)
	}
}

// Sums never go down, whoever changes what is in use meanwhile.
func TestALedgerLosesNothingUnderChange(t *testing.T) {
	l := NewLedger()
	const each = 2000
	var work sync.WaitGroup
	for i := range 4 {
		work.Go(func() {
			for n := range each {
				count(l.Open(Key{"g", fmt.Sprint(i, n%3)}))
			}
		})
	}
	over := make(chan struct{})
	go func() { work.Wait(); close(over) }()
	last := uint64(0)
	for more := true; more; {
		select {
		case <-over:
			more = false
		default:
		}
		l.Keep(nil)
		sum := l.Sum(nil)
		if now := sum.Success(); now < last {
			t.Fatalf("the sum went from %d to %d", last, now)
		} else {
			last = now
		}
	}
	if last != 4*each {
		t.Errorf("counted %d, want %d", last, 4*each)
	}
}

// A ledger comes back from a store as it was.
func TestALedgerIsSavedAndRestored(t *testing.T) {
	l := NewLedger()
	count(l.Open(Key{"", "unmatched"}))
	count(l.Open(Key{`a "quoted" group`, "route /a b"}))
	var store Memory
	if err := store.Save(l.Save()); err != nil {
		t.Fatal(err)
	}
	saved, _ := store.Load()
	again := NewLedger()
	if err := again.Restore(saved); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(l.Save(), again.Save()); diff != "" {
		t.Errorf("(-before +after):\n%s", diff)
	}
	for _, text := range []string{"", "x", `"x`, `"x"y`, `"\q" y`} {
		if err := again.Restore(map[string]Snapshot{text: {}}); err == nil {
			t.Errorf("the key %q was taken", text)
		}
	}
}
