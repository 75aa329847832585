package stats

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// jsonFile is a Store that survives the process: one JSON file, replaced whole.
type jsonFile string

func (f jsonFile) Load() (map[string]Snapshot, error) {
	text, err := os.ReadFile(string(f))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cannot load statistics: %w", err)
	}
	var all map[string]Snapshot
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, fmt.Errorf("cannot load statistics from %s: %w", string(f), err)
	}
	return all, nil
}

func (f jsonFile) Save(all map[string]Snapshot) error {
	text, err := json.Marshal(all)
	if err != nil {
		return fmt.Errorf("cannot save statistics: %w", err)
	}
	temp := string(f) + ".new"
	if err := os.WriteFile(temp, text, 0o600); err != nil {
		return fmt.Errorf("cannot save statistics: %w", err)
	}
	return os.Rename(temp, string(f))
}

func TestTotalsOutliveARestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "stats.json")
	memory := new(Memory)
	stores := map[string]func() Store{
		"memory":    func() Store { return memory },
		"JSON file": func() Store { return jsonFile(path) },
	}
	for name, open := range stores {
		t.Run(name, func(t *testing.T) { testRestart(t, open) })
	}
}

func testRestart(t *testing.T, open func() Store) {
	if all, err := open().Load(); err != nil || len(all) != 0 {
		t.Fatalf("first Load = %v, %v, want nothing", all, err)
	}
	before := map[string]*Counters{"route /api": traffic(1), "endpoint 10.0.0.2:80": traffic(2), "route /idle": {}}
	saved := map[string]Snapshot{}
	for key, c := range before {
		saved[key] = c.Snapshot()
	}
	// The second save replaces the first.
	for _, all := range []map[string]Snapshot{{"route /old": {}}, saved} {
		if err := open().Save(all); err != nil {
			t.Fatal(err)
		}
	}
	loaded, err := open().Load()
	if err != nil {
		t.Fatal(err)
	}
	if len(loaded) != len(before) {
		t.Errorf("loaded %d items, want %d", len(loaded), len(before))
	}
	for key, c := range before {
		after := new(Counters)
		after.Restore(loaded[key])
		if diff := cmp.Diff(c.Snapshot(), after.Snapshot()); diff != "" {
			t.Errorf("%s (-before +after):\n%s", key, diff)
		}
		// The totals go on from there.
		last := Record{Status: 200, Duration: time.Minute, BytesIn: 1}
		c.End(last)
		after.End(last)
		if diff := cmp.Diff(c.Snapshot(), after.Snapshot()); diff != "" {
			t.Errorf("%s, one later (-without restart +with):\n%s", key, diff)
		}
	}
}

func TestMemoryHoldsNoMapOfItsCallers(t *testing.T) {
	var m Memory
	mine := map[string]Snapshot{"route /": {Retries: 1}}
	if err := m.Save(mine); err != nil {
		t.Fatal(err)
	}
	delete(mine, "route /")
	loaded, _ := m.Load()
	delete(loaded, "route /")
	if again, _ := m.Load(); again["route /"].Retries != 1 {
		t.Errorf("the saved map changed with its callers': %v", again)
	}
}

// A file from another layout of the buckets, or one that was edited, must not
// break a gateway that starts.
func TestRestoreTakesForeignBuckets(t *testing.T) {
	var s Snapshot
	text := `{"in_flight": 9, "sum_us": 3000, "latencies": [[
		{"low_ns": 1000001, "count": 1}, {"low_ns": 1000000, "count": 2}, {"low_ns": -5, "count": 1},
		{"low_ns": 9223372036854775807, "count": 1}]]}`
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		t.Fatal(err)
	}
	var c Counters
	c.Restore(s)
	got := c.Snapshot()
	ms, _ := bucketBounds(bucketIndex(time.Millisecond))
	last, _ := bucketBounds(buckets - 1)
	want := Snapshot{SumMicros: 3000, Latencies: [classes]Latencies{{{minLatency, 1}, {ms, 3}, {last, 1}}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("restored (-want +got):\n%s", diff)
	}
	if p := s.Percentile(50); p < 0.99 || p > 1.01 {
		t.Errorf("p50 of the snapshot itself = %v, want about 1 ms", p)
	}
}
