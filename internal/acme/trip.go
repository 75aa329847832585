package acme

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// trip is what one attempt to get a certificate comes upon on its way. It goes
// with the attempt's context.
type trip struct {
	mu       sync.Mutex
	left     int             // orders that it may still make
	orders   []time.Time     // that it made
	after    time.Time       // before which the authority wants no more; zero where it does not say
	ordering map[string]bool // URLs where orders are made
}

type tripKey struct{}

func (t *trip) on(ctx context.Context) context.Context { return context.WithValue(ctx, tripKey{}, t) }

// tripOf is the attempt that a context belongs to; nil for none.
func tripOf(ctx context.Context) *trip {
	t, _ := ctx.Value(tripKey{}).(*trip)
	return t
}

// errBudget is that a name was ordered as often as it may be in a day.
var errBudget = errors.New("it was ordered in vain as often as a name may be in one day")

// order counts a request, and refuses one order too many.
func (t *trip) order(r *http.Request) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if r.Method != http.MethodPost || !t.ordering[r.URL.String()] {
		return nil
	}
	if t.left == 0 {
		return errBudget
	}
	t.left--
	t.orders = append(t.orders, time.Now())
	return nil
}

// came is what the attempt came upon: the orders that it made, and before when the
// authority wants no more.
func (t *trip) came() (orders []time.Time, after time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.orders, t.after
}

// note remembers a Retry-After that says when the authority has had enough
// (RFC 8555 §6.6), and none that says when to ask for a result.
func (t *trip) note(r *http.Response) {
	if r.StatusCode != http.StatusTooManyRequests && r.StatusCode != http.StatusServiceUnavailable {
		return
	}
	if after := retryAfter(r.Header.Get("Retry-After"), time.Now()); !after.IsZero() {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.after = after
	}
}

// retryAfter reads a Retry-After field (RFC 9110 §10.2.3). Zero is none. A year
// is as good as for ever, and longer than any limit of an authority.
func retryAfter(value string, now time.Time) time.Time {
	const longest = 365 * 24 * time.Hour
	var at time.Time
	if seconds, err := strconv.ParseInt(strings.TrimSpace(value), 10, 64); err == nil {
		at = now.Add(time.Duration(min(max(seconds, 0), int64(longest/time.Second))) * time.Second)
	} else if at, err = http.ParseTime(value); err != nil {
		return time.Time{}
	}
	if last := now.Add(longest); at.After(last) {
		return last
	}
	return at
}

// tripper is the way to authorities, which tells trips what they come upon.
type tripper struct{ *http.Transport }

// RoundTrip implements http.RoundTripper.
func (w tripper) RoundTrip(r *http.Request) (*http.Response, error) {
	t := tripOf(r.Context())
	if t != nil {
		if err := t.order(r); err != nil {
			return nil, err
		}
	}
	answer, err := w.Transport.RoundTrip(r)
	if t != nil && err == nil {
		t.note(answer)
	}
	return answer, err
}

// The limits of one request to an authority.
const (
	requestTime = 30 * time.Second
	connectTime = 10 * time.Second
)

func newTripper(roots *x509.CertPool) tripper {
	return tripper{&http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: connectTime}).DialContext,
		TLSClientConfig:       &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:   connectTime,
		ResponseHeaderTimeout: requestTime,
		IdleConnTimeout:       requestTime,
		ForceAttemptHTTP2:     true,
	}}
}

func (w tripper) client() *http.Client { return &http.Client{Transport: w, Timeout: requestTime} }
