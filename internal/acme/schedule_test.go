package acme

import (
	"crypto/x509"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mholt/acmez/v3/acme"
)

// With an authority that is down for a day a name is tried at most ten times, and
// the first of these come soon.
func TestPauses(t *testing.T) {
	now := time.Unix(1e9, 0)
	tries, at := 1, now
	for failures := 1; ; failures++ {
		next := again(failures, at, time.Time{})
		if failures == 1 && next.Sub(at) > 2*time.Minute {
			t.Errorf("the second try comes after %v", next.Sub(at))
		}
		if at = next; at.Sub(now) >= day {
			break
		}
		tries++
	}
	if tries > ordersPerDay {
		t.Errorf("%d tries in a day", tries)
	}
	if wanted := now.Add(48 * time.Hour); again(1, now, wanted).Before(wanted) {
		t.Error("it is tried before the authority wants it")
	}
}

func TestBudget(t *testing.T) {
	now := time.Unix(1e9, 0)
	var orders []time.Time
	for i := range 12 {
		orders = append(orders, now.Add(time.Duration(i-30)*time.Hour))
	}
	if left, next := budget(orders, now); left != 5 || !next.IsZero() { // 7 are a day old
		t.Errorf("%d left, %v", left, next)
	}
	orders = append(orders, now, now, now, now, now)
	if left, next := budget(orders, now); left != 0 || !next.Equal(orders[7].Add(day)) {
		t.Errorf("%d left, more at %v", left, next)
	}
	if left, _ := budget(orders, orders[7].Add(day)); left != 1 {
		t.Errorf("%d left then", left)
	}
}

func TestRenewal(t *testing.T) {
	born := time.Unix(1e9, 0)
	leaf := &x509.Certificate{NotBefore: born, NotAfter: born.Add(90 * day)}
	f := func(selected time.Duration, want time.Duration) {
		t.Helper()
		var info acme.RenewalInfo
		if selected != 0 {
			info.SelectedTime = born.Add(selected)
			info.SuggestedWindow.Start, info.SuggestedWindow.End = born, born.Add(day)
		}
		if got := renewal(leaf, info).Sub(born); got != want {
			t.Errorf("selected %v: %v instead of %v", selected, got, want)
		}
	}
	f(0, 60*day)
	f(30*day, 30*day)
	f(-day, -day)
	f(200*day, 81*day)
}

func TestPoll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		f := func(life, after, want time.Duration) {
			t.Helper()
			var info acme.RenewalInfo
			if after != 0 {
				at := now.Add(after)
				info.RetryAfter = &at
			}
			got := poll(&x509.Certificate{NotBefore: now, NotAfter: now.Add(life)}, info, now).Sub(now)
			if got < want || got > want+want/10 {
				t.Errorf("life %v, after %v: %v instead of %v", life, after, got, want)
			}
		}
		f(90*day, 0, 6*time.Hour)
		f(90*day, time.Second, time.Minute)
		f(90*day, 90*day, day)
		f(6*day, 0, 6*time.Hour)
		f(24*time.Minute, 6*time.Hour, time.Minute)
	})
}

func TestRetryAfter(t *testing.T) {
	now := time.Unix(1e9, 0).UTC()
	for value, want := range map[string]time.Time{
		"120": now.Add(2 * time.Minute), "Sun, 09 Sep 2001 02:46:40 GMT": now.Add(time.Hour), "-5": now, "soon": {}, "": {},
		"9999999999999": now.Add(365 * day),
	} {
		if got := retryAfter(value, now); !got.Equal(want) {
			t.Errorf("%q: %v instead of %v", value, got, want)
		}
	}
}
