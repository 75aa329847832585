package stats

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Key names what is counted. Name tells it apart within its group; Group is the
// backend that it belongs to, "" for what belongs to none. A key without Name is
// the sum of what is gone of its group.
type Key struct{ Group, Name string }

// String is the key as a Store has it: the group in quotes, a space, the name.
func (k Key) String() string { return strconv.Quote(k.Group) + " " + k.Name }

// ParseKey reads what String made.
func ParseKey(text string) (Key, error) {
	quoted, err := strconv.QuotedPrefix(text)
	name, spaced := strings.CutPrefix(text[len(quoted):], " ")
	if err != nil || !spaced {
		return Key{}, fmt.Errorf("cannot read the key %q: want \"group\" name", text)
	}
	group, err := strconv.Unquote(quoted)
	if err != nil {
		return Key{}, fmt.Errorf("cannot read the key %q: %w", text, err)
	}
	return Key{group, name}, nil
}

// settling is how long counters are kept apart after they went out of use: an
// exchange that loaded the table before the swap may begin to count only after
// it, and that takes microseconds.
const settling = 10 * time.Second

// Ledger holds counters by key for as long as the process lives: tables come
// and go, and nothing that was counted is lost with them. What goes out of use
// is added to the sum of its group, so a ledger grows with what is in use and
// with the number of groups, not with the changes.
type Ledger struct {
	mu      sync.Mutex
	entries map[Key]*entry
}

type entry struct {
	Counters
	used bool
	idle time.Time // since when not used
}

// NewLedger makes an empty ledger.
func NewLedger() *Ledger { return &Ledger{entries: map[Key]*entry{}} }

// Open is k's counters, from then on in use. They stay the same for as long as
// they are.
func (l *Ledger) Open(k Key) *Counters {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.entry(k)
	e.used = true
	return &e.Counters
}

func (l *Ledger) entry(k Key) *entry {
	e := l.entries[k]
	if e == nil {
		e = &entry{idle: time.Now()}
		l.entries[k] = e
	}
	return e
}

// Keep says which keys are in use; all others no longer are.
func (l *Ledger) Keep(keys map[Key]bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	for k, e := range l.entries {
		if e.used && !keys[k] {
			e.used, e.idle = false, now
		}
	}
	l.settle(now)
}

// settle adds what is out of use to its group's sum; mu is held. Exchanges may
// still count on it, so it is dropped only once none can.
func (l *Ledger) settle(now time.Time) {
	for k, e := range l.entries {
		if e.used || k.Name == "" {
			continue
		}
		gone := now.Sub(e.idle) > settling && e.InFlight() == 0
		l.entry(Key{Group: k.Group}).Fold(&e.Counters)
		if gone {
			delete(l.entries, k)
		}
	}
}

// Sum is the traffic of all keys that match wants; of all where it is nil.
func (l *Ledger) Sum(match func(Key) bool) Snapshot {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.settle(time.Now())
	var sum Snapshot
	for k, e := range l.entries {
		if match == nil || match(k) {
			sum.Add(e.Snapshot())
		}
	}
	return sum
}

// Save is everything, as a Store takes it.
func (l *Ledger) Save() map[string]Snapshot {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := make(map[string]Snapshot, len(l.entries))
	for k, e := range l.entries {
		all[k.String()] = e.Snapshot()
	}
	return all
}

// Restore adds what was saved. A key that no table opens soon is out of use.
func (l *Ledger) Restore(saved map[string]Snapshot) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for text, s := range saved {
		k, err := ParseKey(text)
		if err != nil {
			return err
		}
		l.entry(k).Restore(s)
	}
	return nil
}
