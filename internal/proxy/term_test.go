package proxy

import (
	"context"
	"runtime"
	"testing"
	"time"
)

func TestTermIsAContextThatEnds(t *testing.T) {
	var early, asked Term
	early.End()
	if early.Err() != context.Canceled {
		t.Error("one that nobody asked has not ended")
	}
	<-early.Done() // nor for who asks late
	asked.Until = time.Now().Add(time.Hour)
	child, cancel := context.WithCancel(&asked)
	defer cancel()
	if until, ok := child.Deadline(); !ok || until != asked.Until || child.Err() != nil || asked.Err() != nil {
		t.Errorf("%v, %v, %v", until, child.Err(), asked.Err())
	}
	asked.End()
	<-child.Done()
	<-asked.Done()
	if asked.Err() != context.Canceled {
		t.Error(asked.Err())
	}
}

// A context made of another that the standard library does not know costs a
// goroutine: these are known.
func TestTermsCostNoGoroutine(t *testing.T) {
	before := runtime.NumGoroutine()
	for range 100 {
		term := &Term{}
		child, cancel := context.WithCancel(term)
		defer cancel()
		if child.Err() != nil {
			t.Fatal("it has ended")
		}
		defer term.End()
	}
	if n := runtime.NumGoroutine() - before; n > 10 {
		t.Errorf("%d goroutines for 100 contexts", n)
	}
}
