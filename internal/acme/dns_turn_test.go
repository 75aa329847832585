package acme

import (
	"context"
	"errors"
	"testing"

	"github.com/mholt/acmez/v3/acme"
)

// setter is a solver of the test's.
type setter struct {
	set  chan string
	fail error
}

func (s setter) Present(_ context.Context, ch acme.Challenge) error {
	s.set <- ch.KeyAuthorization
	return s.fail
}

func (s setter) CleanUp(context.Context, acme.Challenge) error { return nil }

func challengeFor(domain, key string) acme.Challenge {
	return acme.Challenge{KeyAuthorization: key, Identifier: acme.Identifier{Type: "dns", Value: domain}}
}

// The record of a domain is one order's until that is done with it; others do not
// wait.
func TestOneOrderAtATimeSetsARecord(t *testing.T) {
	ctx := context.Background()
	under := setter{set: make(chan string, 10)}
	s := &inTurn{Solver: under}
	first, second, other := challengeFor("example.com", "1"), challengeFor("example.com", "2"), challengeFor("example.org", "3")
	if err := errors.Join(s.Present(ctx, first), s.Present(ctx, other), s.Wait(ctx, first)); err != nil {
		t.Fatal(err)
	}
	<-under.set
	<-under.set
	came := make(chan error, 1)
	go func() { came <- s.Present(ctx, second) }()
	ended, end := context.WithCancel(ctx)
	end()
	if err := s.Present(ended, second); !errors.Is(err, context.Canceled) {
		t.Errorf("who waits no more is told %v", err)
	}
	if err := s.CleanUp(ctx, second); err != nil { // it never had its turn
		t.Error(err)
	}
	select {
	case key := <-under.set:
		t.Fatalf("%s is set while the first order's is there", key)
	default:
	}
	if err := errors.Join(s.CleanUp(ctx, first), <-came); err != nil {
		t.Fatal(err)
	}
	if key := <-under.set; key != "2" {
		t.Errorf("%s is set", key)
	}
	if err := s.CleanUp(ctx, first); err != nil { // again
		t.Error(err)
	}
	if other := s.take(first); other == nil || other.of != "2" {
		t.Errorf("the second order lost its turn: %+v", other)
	}
}

func TestARecordThatCannotBeSetKeepsNobody(t *testing.T) {
	s := &inTurn{Solver: setter{set: make(chan string, 10), fail: errors.New("no")}}
	for range 2 {
		if err := s.Present(context.Background(), challengeFor("example.com", "1")); err == nil {
			t.Error("no error")
		}
	}
}
