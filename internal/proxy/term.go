package proxy

import (
	"context"
	"sync"
	"time"
)

// Term is the context of a job: it ends when the job does. One that nobody waits
// for, as with the queue, is no more than this struct. The zero Term has not
// ended.
type Term struct {
	Until time.Time // when the job is late; set before it starts

	mu   sync.Mutex
	over bool
	ctx  context.Context // for who asks; nil until then
	end  context.CancelFunc
}

// End ends it.
func (t *Term) End() {
	t.mu.Lock()
	t.over = true
	end := t.end
	t.mu.Unlock()
	if end != nil {
		end()
	}
}

// real is a context of the standard library's, of which others can be made
// without a goroutine for each: they find it by Value.
func (t *Term) real() context.Context {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ctx == nil {
		t.ctx, t.end = context.WithCancel(context.Background())
		if t.over {
			t.end()
		}
	}
	return t.ctx
}

// Deadline implements context.Context.
func (t *Term) Deadline() (time.Time, bool) { return t.Until, !t.Until.IsZero() }

// Done implements context.Context.
func (t *Term) Done() <-chan struct{} { return t.real().Done() }

// Value implements context.Context.
func (t *Term) Value(key any) any { return t.real().Value(key) }

// Err implements context.Context.
func (t *Term) Err() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.ctx != nil:
		return t.ctx.Err()
	case t.over:
		return context.Canceled
	}
	return nil
}
