package upstream

import "time"

// began is what this package's times count from.
var began = time.Now()

// Clock is t in nanoseconds since the process began, by the monotonic clock:
// what lasts must not last longer, or end, where somebody sets the wall clock.
func Clock(t time.Time) int64 { return int64(t.Sub(began)) }
