package listen

import (
	"context"
	"crypto/rand"
	"sync"
	"time"
)

// TicketKeys are the keys that session tickets are sealed with (RFC 8446 §4.6.1,
// RFC 5077). Instances that share them resume each other's sessions.
type TicketKeys interface {
	// Keys are those of the moment: the first seals, all open. There is one at
	// least.
	Keys() [][32]byte
	// Changed is closed once Keys are others than at the call.
	Changed() <-chan struct{}
}

// A ticket is good for a week (RFC 8446 §4.6.1 allows no more), and so is its
// key, once it seals no more. The sooner keys change, the less of the past is
// told by one that gets known.
const (
	ticketLife     = 7 * 24 * time.Hour
	ticketKeyTurn  = 12 * time.Hour
	maxTicketKeys  = int(ticketLife/ticketKeyTurn) + 2
	ticketKeyBytes = 32
)

// TicketKey is a key of a Ring, as it is handed on. It is a secret.
type TicketKey struct {
	Secret []byte `json:"secret"`
	Made   int64  `json:"made"` // Unix time in seconds
}

// Ring is keys of this machine's own, which change by themselves. They are in
// memory alone.
type Ring struct {
	mu      sync.Mutex
	keys    []TicketKey // the newest first
	changed chan struct{}
}

// NewRing makes a ring with a first key.
func NewRing() *Ring {
	r := &Ring{changed: make(chan struct{})}
	r.turn(time.Now())
	return r
}

// Keys implements TicketKeys.
func (r *Ring) Keys() [][32]byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	keys := make([][32]byte, len(r.keys))
	for i := range keys {
		keys[i] = [32]byte(r.keys[i].Secret)
	}
	return keys
}

// Changed implements TicketKeys.
func (r *Ring) Changed() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.changed
}

// Turn makes keys and forgets them, as it is time, until ctx ends.
func (r *Ring) Turn(ctx context.Context) {
	timer := time.NewTimer(r.turn(time.Now()))
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-timer.C:
			timer.Reset(r.turn(now))
		}
	}
}

// turn makes a key where it is time, and tells for how long it is not.
func (r *Ring) turn(now time.Time) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.keys) > 0 {
		// A clock that was set back does not keep a key in use for longer.
		if since := now.Sub(time.Unix(r.keys[0].Made, 0)); since >= 0 && since < ticketKeyTurn {
			return ticketKeyTurn - since
		}
	}
	secret := make([]byte, ticketKeyBytes)
	_, _ = rand.Read(secret) // cannot fail
	r.put(append([]TicketKey{{Secret: secret, Made: now.Unix()}}, r.keys...), now)
	return ticketKeyTurn
}

// put has keys in use from now on, but those that have sealed no ticket that is
// still good.
func (r *Ring) put(keys []TicketKey, now time.Time) {
	var good []TicketKey
	for _, k := range keys {
		if len(k.Secret) == ticketKeyBytes && len(good) < maxTicketKeys && now.Sub(time.Unix(k.Made, 0)) < ticketLife+ticketKeyTurn {
			good = append(good, k)
		}
	}
	if len(good) == 0 {
		return
	}
	r.keys = good
	close(r.changed)
	r.changed = make(chan struct{})
}

// Bequest is what a successor Inherits.
func (r *Ring) Bequest() []TicketKey {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]TicketKey(nil), r.keys...)
}

// Inherit goes on with a predecessor's keys.
func (r *Ring) Inherit(keys []TicketKey) {
	now := time.Now()
	r.mu.Lock()
	r.put(append([]TicketKey(nil), keys...), now)
	r.mu.Unlock()
	r.turn(now)
}
