package acme

import (
	"context"
	"sync"

	"github.com/mholt/acmez/v3"
	"github.com/mholt/acmez/v3/acme"
)

// inTurn lets one order at a time set the record of a name. A domain and the
// wildcard below it have the same one (RFC 8555 §8.4), and whoever removes his
// own may remove the other's with it, before the authority has looked.
type inTurn struct {
	acmez.Solver

	mu   sync.Mutex
	held map[string]*turn // by the record's name
}

// turn is one order's, from Present to CleanUp.
type turn struct {
	of   string        // the key authorization of its challenge
	over chan struct{} // closed in the end
}

// Present implements acmez.Solver.
func (s *inTurn) Present(ctx context.Context, ch acme.Challenge) error {
	for {
		other := s.take(ch)
		if other == nil {
			break
		}
		select {
		case <-other.over:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	err := s.Solver.Present(ctx, ch)
	if err != nil {
		s.give(ch)
	}
	return err
}

// take begins ch's turn, unless it is another's.
func (s *inTurn) take(ch acme.Challenge) (other *turn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	name := ch.DNS01TXTRecordName()
	if other = s.held[name]; other != nil {
		return other
	}
	if s.held == nil {
		s.held = map[string]*turn{}
	}
	s.held[name] = &turn{of: ch.KeyAuthorization, over: make(chan struct{})}
	return nil
}

// give ends ch's turn, if it is.
func (s *inTurn) give(ch acme.Challenge) {
	s.mu.Lock()
	defer s.mu.Unlock()
	name := ch.DNS01TXTRecordName()
	if t := s.held[name]; t != nil && t.of == ch.KeyAuthorization {
		close(t.over)
		delete(s.held, name)
	}
}

// Wait implements acmez.Waiter.
func (s *inTurn) Wait(ctx context.Context, ch acme.Challenge) error {
	if w, ok := s.Solver.(acmez.Waiter); ok {
		return w.Wait(ctx, ch)
	}
	return nil
}

// CleanUp implements acmez.Solver. It may be called twice, or after a Present that
// failed.
func (s *inTurn) CleanUp(ctx context.Context, ch acme.Challenge) error {
	defer s.give(ch)
	return s.Solver.CleanUp(ctx, ch)
}
