package proxy

import (
	"sync/atomic"
	"time"
)

// logsPerSecond bounds the lines that failing requests can make rgate log.
const logsPerSecond = 20

// limiter lets a number of events a second through and counts the rest.
type limiter struct {
	began      time.Time // seconds count from here, by the monotonic clock
	second     atomic.Int64
	passed     atomic.Int64
	suppressed atomic.Int64
}

func (l *limiter) allow(now time.Time) bool {
	second := int64(now.Sub(l.began) / time.Second)
	if was := l.second.Load(); was != second && l.second.CompareAndSwap(was, second) {
		l.passed.Store(0)
	}
	if l.passed.Add(1) <= logsPerSecond {
		return true
	}
	l.suppressed.Add(1)
	return false
}
