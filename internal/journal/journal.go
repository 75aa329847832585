package journal

import (
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// flushTime is how long Close waits for the descriptor.
	flushTime = time.Second
	// piece is how much is written at once, in whole records: what a pipe takes
	// whole, so that two processes that write to it do not mix their lines.
	piece = 4096
	// look is how long the writer waits for the descriptor before it looks
	// whether it is to end.
	look = 50 * time.Millisecond
	// between is the least time between two reports of what is missing.
	between = time.Second
)

// Missing counts the records that did not come through.
type Missing struct {
	Dropped int64 // there was no room, as the reader did not keep up
	Lost    int64 // the descriptor refused them, as where the reader is gone
}

// Journal is an io.Writer of which each Write is one record. It never waits.
type Journal struct {
	out     io.Writer
	ring    ring
	lost    atomic.Int64
	mention func(since Missing) []byte

	wake    chan struct{} // gets a token when there is something to fetch
	closing chan struct{} // closed by Close
	ended   chan struct{} // closed once the writer has ended
	close   sync.Once
	limit   atomic.Pointer[time.Time] // when a closing writer gives up

	// The writer's own:
	told    Missing   // what was mentioned, and …
	toldAt  time.Time // … when
	refused bool      // the last write did not go through
}

// Open begins to write to out, which nobody else is to write to until Close
// has returned. mention, unless it is nil, words a record of how many did not
// come through since the last such record.
func Open(out io.Writer, mention func(since Missing) []byte) *Journal {
	j := &Journal{out: out, mention: mention, wake: make(chan struct{}, 1), closing: make(chan struct{}), ended: make(chan struct{})}
	go j.run()
	return j
}

// Out is what the journal writes to.
func (j *Journal) Out() io.Writer { return j.out }

// Write takes a copy of the record, or drops it. It never fails.
func (j *Journal) Write(record []byte) (int, error) {
	if j.ring.put(record) {
		select {
		case j.wake <- struct{}{}:
		default:
		}
	}
	return len(record), nil
}

// Missing is what has not come through so far.
func (j *Journal) Missing() Missing { return Missing{Dropped: j.ring.drops(), Lost: j.lost.Load()} }

// Close writes what is there, for a second at most: a reader that has stopped
// does not hold up the end of the process. What is written after that is not.
func (j *Journal) Close() {
	j.close.Do(func() {
		limit := time.Now().Add(flushTime)
		j.limit.Store(&limit)
		close(j.closing)
	})
	// A writer to something that cannot be asked whether it would wait may hang
	// for as long as it likes.
	patience := time.NewTimer(flushTime + 10*look)
	defer patience.Stop()
	select {
	case <-j.ended:
	case <-patience.C:
	}
}

// run is the writer.
func (j *Journal) run() {
	defer close(j.ended)
	var b batch
	for {
		var due <-chan time.Time
		if j.mention != nil && j.Missing() != j.told && !j.refused {
			due = time.After(between)
		}
		select {
		case <-j.wake:
			j.empty(&b)
		case <-due:
			j.report()
		case <-j.closing:
			j.empty(&b)
			j.report()
			return
		}
	}
}

// empty writes until nothing is left.
func (j *Journal) empty(b *batch) {
	for j.ring.fetch(b) {
		j.write(b)
	}
}

// write brings a batch to the descriptor, or counts what it cannot bring.
func (j *Journal) write(b *batch) {
	for from, next := 0, 0; next < len(b.ends); {
		first, to := next, b.ends[next]
		for next++; next < len(b.ends) && b.ends[next]-from <= piece; next++ {
			to = b.ends[next]
		}
		n := j.bring(b.text[from:to])
		if j.refused = n < to-from; !j.refused {
			j.report()
		} else {
			for _, end := range b.ends[first:next] {
				if end > from+n {
					j.lost.Add(1)
				}
			}
		}
		from = to
	}
}

// bring answers how much of a text came through. A record longer than a piece
// goes in several.
func (j *Journal) bring(text []byte) (n int) {
	for n < len(text) && j.await() {
		m, err := j.out.Write(text[n:min(n+piece, len(text))])
		n += m
		if err != nil {
			break
		}
	}
	return n
}

// await returns once a piece can be written without waiting; false when the
// journal is closed and that does not come about.
func (j *Journal) await() bool {
	f, ok := j.out.(*os.File)
	if !ok {
		return true
	}
	for {
		wait := look
		if limit := j.limit.Load(); limit != nil {
			wait = max(min(look, time.Until(*limit)), 0)
		}
		if writable(f, wait) || wait == 0 {
			return wait > 0
		}
	}
}

// report says what is missing, now that records go through. It does not take
// the way through the ring, which may be full.
func (j *Journal) report() {
	now := j.Missing()
	if j.mention == nil || now == j.told || time.Since(j.toldAt) < between && j.limit.Load() == nil {
		return
	}
	text := j.mention(Missing{Dropped: now.Dropped - j.told.Dropped, Lost: now.Lost - j.told.Lost})
	if j.bring(text) == len(text) {
		j.told, j.toldAt = now, time.Now()
	}
}
