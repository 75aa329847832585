package acme

import (
	"crypto/tls"
	"sync/atomic"
	"time"

	"github.com/mholt/acmez/v3/acme"
)

// subject is a name, and how it stands with its certificate.
type subject struct {
	name     string
	demanded bool                            // nobody but a client wants it
	cert     atomic.Pointer[tls.Certificate] // nil while there is none
	status   atomic.Pointer[status]

	// What Manager.Run knows.
	known    bool      // it is in the queue, or under way
	looked   bool      // the storage was looked into for it
	force    bool      // it is to be replaced though it is well
	next     time.Time // when there is something to do
	at       int       // its place in the queue
	have     *held
	info     acme.RenewalInfo // what its authority said of have
	asked    time.Time        // when it is to be asked again
	failures int              // in a row
	failing  int              // how it was counted when its job began
}

// status is what is told of a subject.
type status struct {
	renewal time.Time // when it is to be replaced, or tried again
	problem string
}

func newSubject(name string) *subject {
	s := &subject{name: name}
	s.status.Store(&status{})
	return s
}

// queue is a heap of subjects by when there is something to do.
type queue []*subject

// Len implements heap.Interface.
func (q queue) Len() int { return len(q) }

// Less implements heap.Interface.
func (q queue) Less(i, j int) bool { return q[i].next.Before(q[j].next) }

// Swap implements heap.Interface.
func (q queue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].at, q[j].at = i, j
}

// Push implements heap.Interface.
func (q *queue) Push(x any) {
	s := x.(*subject)
	s.at = len(*q)
	*q = append(*q, s)
}

// Pop implements heap.Interface.
func (q *queue) Pop() any {
	last := len(*q) - 1
	s := (*q)[last]
	(*q)[last] = nil
	*q = (*q)[:last]
	return s
}
