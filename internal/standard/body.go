package standard

import (
	"errors"
	"io"
	"sync"
	"sync/atomic"
)

// maxKept bounds the part of a request body that is kept for sending again.
const maxKept = 16 << 10

var errTaken = errors.New("cannot read: the request body is another attempt's, or gone")

// body is a client's request body. It is passed on as it comes, and its
// beginning is kept, so that an attempt that failed early can be made again
// without waiting for the client first. A nil body is no body.
type body struct {
	from  io.ReadCloser
	count *atomic.Int64 // of what was read from it
	turn  atomic.Int64  // the attempt that may read

	waiting atomic.Bool // for the client

	reads sync.Mutex // held while from is read, for as long as the client takes

	mu   sync.Mutex
	kept []byte // all of what was read, unless lost
	lost bool
	err  error // how from ended
}

func newBody(from io.ReadCloser, count *atomic.Int64) *body { return &body{from: from, count: count} }

// Read is for ReverseProxy's sake: attempts read for themselves.
func (b *body) Read([]byte) (int, error) { return 0, errTaken }

// Close ends the last attempt's reading. The server closes the client's body.
func (b *body) Close() error {
	b.turn.Add(1)
	return nil
}

// rewind tells whether the body can be sent from its start.
func (b *body) rewind() bool {
	if b == nil {
		return true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return !b.lost
}

// fault is why the client's body could not be read; nil while it can.
func (b *body) fault() error {
	if b == nil {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err == io.EOF {
		return nil
	}
	return b.err
}

// attempt is the body for the next attempt. The one before can read no more.
func (b *body) attempt() io.ReadCloser { return &reading{body: b, turn: b.turn.Add(1)} }

// again copies what was read before position at; done tells whether that, or
// an error, is all there is to say.
func (b *body) again(p []byte, at int64) (n int, err error, done bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case at < b.count.Load() && b.lost:
		return 0, errTaken, true
	case at < b.count.Load():
		return copy(p, b.kept[at:]), nil, true
	case b.err != nil:
		return 0, b.err, true
	}
	return 0, nil, false
}

// note keeps what was read.
func (b *body) note(p []byte, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.count.Add(int64(len(p)))
	b.err = err
	if b.lost || len(b.kept)+len(p) > maxKept {
		b.lost, b.kept = b.lost || len(p) > 0, nil
		return
	}
	b.kept = append(b.kept, p...)
}

// reading is a body as one attempt reads it.
type reading struct {
	*body
	turn int64
	at   int64
}

// Read implements io.Reader.
func (r *reading) Read(p []byte) (int, error) {
	r.reads.Lock()
	defer r.reads.Unlock()
	if r.turn != r.body.turn.Load() {
		return 0, errTaken
	}
	n, err, done := r.again(p, r.at)
	if !done {
		r.waiting.Store(true)
		n, err = r.from.Read(p)
		r.waiting.Store(false)
		r.note(p[:n], err)
	}
	r.at += int64(n)
	return n, err
}

// Close implements io.Closer.
func (r *reading) Close() error { return nil }
