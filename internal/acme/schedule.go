package acme

import (
	"crypto/x509"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/mholt/acmez/v3/acme"
)

// A name is ordered in vain this often in a day at most, whatever happens.
const (
	ordersPerDay = 10
	day          = 24 * time.Hour
)

// pauses are the waits after failures, one after the other; the last is
// repeated. With an authority that is down all day that makes nine attempts.
var pauses = []time.Duration{
	time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 3 * time.Hour, 6 * time.Hour,
}

// again is when to try again after so many failures in a row, and not before an
// authority wants it. A tenth more or less keeps names apart that failed at once.
func again(failures int, now, after time.Time) time.Time {
	pause := pauses[min(failures, len(pauses))-1]
	at := now.Add(jitter(pause))
	if after.After(at) {
		return after.Add(time.Duration(rand.Int64N(int64(time.Minute))))
	}
	return at
}

func jitter(d time.Duration) time.Duration {
	return d + time.Duration(rand.Int64N(int64(d/10)+1))
}

// budget is how many orders are left of a day's, and when there is one more
// where none is. orders are when they were made, the oldest first.
func budget(orders []time.Time, now time.Time) (left int, next time.Time) {
	recent := slices.DeleteFunc(slices.Clone(orders), func(at time.Time) bool { return now.Sub(at) >= day })
	if left = ordersPerDay - len(recent); left > 0 {
		return left, time.Time{}
	}
	return 0, recent[len(recent)-ordersPerDay].Add(day)
}

// lifetime is for how long a certificate is good.
func lifetime(leaf *x509.Certificate) time.Duration { return leaf.NotAfter.Sub(leaf.NotBefore) }

// renewal is when a certificate is to be replaced: when its authority wants it
// (RFC 9773), else when two thirds of its time are over. What an authority says
// is not trusted beyond nine tenths of that.
func renewal(leaf *x509.Certificate, info acme.RenewalInfo) time.Time {
	life := lifetime(leaf)
	if !info.HasWindow() {
		return leaf.NotBefore.Add(life * 2 / 3)
	}
	if last := leaf.NotBefore.Add(life * 9 / 10); info.SelectedTime.After(last) {
		return last
	}
	return info.SelectedTime
}

// usualPoll is how often an authority is asked when to renew if it does not say.
const usualPoll = 6 * time.Hour

// poll is when to ask an authority again when to renew: when it says, or every
// some hours, and the more often the shorter a certificate lives, so that one
// that is revoked is replaced within a small part of its life.
func poll(leaf *x509.Certificate, info acme.RenewalInfo, now time.Time) time.Time {
	every := usualPoll
	if info.RetryAfter != nil {
		every = min(max(info.RetryAfter.Sub(now), time.Minute), day)
	}
	return now.Add(jitter(min(every, lifetime(leaf)/24)))
}
