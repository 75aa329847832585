package stats

import (
	"maps"
	"sync"
)

// Store keeps totals between runs, by the keys of a Ledger (Key.String). A
// gateway loads once, hands Restore of a fresh Ledger what there is,
// and saves from time to time and when it stops.
type Store interface {
	// Load returns what was saved last; nothing saved yet is no error.
	Load() (map[string]Snapshot, error)
	// Save replaces what was saved before. It keeps no hold of the map.
	Save(map[string]Snapshot) error
}

// Memory is the default Store: it lasts as long as the process. The zero value
// is ready.
type Memory struct {
	mu    sync.Mutex
	saved map[string]Snapshot
}

// Load returns what was saved last.
func (m *Memory) Load() (map[string]Snapshot, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.saved), nil
}

// Save keeps the snapshots. Methods of Snapshot never write into histograms
// that another may share, so there is no need to copy those.
func (m *Memory) Save(all map[string]Snapshot) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.saved = maps.Clone(all)
	return nil
}
