package upstream

import (
	"sync"
	"testing"
	"time"
)

// Endpoints that fail in the same instant each see the others as usable.
func TestFailuresAtOnceEjectNoMoreThanHalf(t *testing.T) {
	for range 2000 {
		eps := endpoints(4)
		b := backendOf(Random, eps)
		start := make(chan struct{})
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				<-start
				for range 3 {
					b.Observe(eps[i%4], ConnectFailed, 0, time.Now(), time.Now())
				}
			})
		}
		close(start)
		all.Wait()
		out := 0
		for _, e := range eps {
			if e.ejection.active(Clock(time.Now())) {
				out++
			}
			if n := e.ejection.times.Load(); n > 1 {
				t.Fatalf("one ejection was counted %d times", n)
			}
		}
		if out != 2 {
			t.Fatalf("%d of 4 are ejected", out)
		}
	}
}
