//go:build linux

package conformance

import (
	"math/rand/v2"
	"time"
)

// dice decide everything that is left to chance. The same seed and purpose give
// the same throws, on whichever side of the gateway they are made.
type dice struct{ *rand.Rand }

func throw(seed uint64, purpose uint64) dice { return dice{rand.New(rand.NewPCG(seed, purpose))} }

func (d dice) oneIn(n int) bool { return d.IntN(n) == 0 }

func pick[T any](d dice, of ...T) T { return of[d.IntN(len(of))] }

// size is of a body or a chunk: small mostly, and else around the sizes of the
// buffers it goes through.
func (d dice) size() int {
	switch d.IntN(12) {
	case 0, 1:
		return 0
	case 2, 3:
		return 1 + d.IntN(30)
	case 4, 5, 6, 7:
		return d.IntN(3000)
	case 8, 9:
		return pick(d, 16<<10, 32<<10, 60<<10, 64<<10) - 600 + d.IntN(700)
	case 10:
		return d.IntN(40_000)
	}
	return pick(d, 70_000, 300_000) - d.IntN(70_000)
}

// pause is short enough for thousands, and long enough for others to come
// first.
func (d dice) pause() time.Duration {
	return pick(d, 0, time.Duration(d.IntN(200))*time.Microsecond, time.Duration(d.IntN(3000))*time.Microsecond)
}

// cut divides b at random places, in n parts at most.
func (d dice) cut(b []byte, n int) (all [][]byte) {
	for ; n > 1 && len(b) > 1; n-- {
		at := 1 + d.IntN(len(b)-1)
		if d.oneIn(2) {
			at = min(at, 1+d.IntN(400)) // within the head
		}
		all, b = append(all, b[:at]), b[at:]
	}
	return append(all, b)
}
