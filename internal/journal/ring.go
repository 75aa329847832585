package journal

import "sync"

// Bounds of a ring. As much again may be on its way to the descriptor.
const (
	ringBytes   = 1 << 20
	ringRecords = 8 << 10
)

// ring holds the records that nobody has fetched yet. Putting one in costs a
// copy, and no memory once the ring has been full.
type ring struct {
	mu      sync.Mutex
	records batch
	dropped int64
}

// batch is a number of records, one behind the other.
type batch struct {
	text []byte
	ends []int // where in text each of them ends
}

func (b *batch) reset() { b.text, b.ends = b.text[:0], b.ends[:0] }

// put answers false where there is no room. A record that comes alone may be of
// any size.
func (r *ring) put(record []byte) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if n := len(r.records.ends); n == ringRecords || n > 0 && len(r.records.text)+len(record) > ringBytes {
		r.dropped++
		return false
	}
	r.records.text = append(r.records.text, record...)
	r.records.ends = append(r.records.ends, len(r.records.text))
	return true
}

// fetch puts what there is into b, whose memory the ring goes on with.
func (r *ring) fetch(b *batch) (some bool) {
	b.reset()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.records, *b = *b, r.records
	if cap(r.records.text) > 2*ringBytes { // one that came alone
		r.records.text = nil
	}
	return len(b.ends) > 0
}

// drops is how many records found no room.
func (r *ring) drops() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.dropped
}
