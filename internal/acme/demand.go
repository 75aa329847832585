package acme

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"rgate/internal/config"
)

// demand is what lets names be got once a client asks for them. No handshake
// waits: the first ends with an alert, and a later one finds the certificate.
// Names come from strangers, so that all there is of them is bounded.
type demand struct {
	said    config.OnDemand
	client  *http.Client
	log     *slog.Logger
	names   chan string // that clients asked for; what does not fit is dropped
	results chan verdict
	count   atomic.Int64 // of names that are had

	// What Manager.Run knows.
	asking     map[string]bool
	refused    map[string]time.Time // until when they are not asked about again
	granted    []time.Time          // when names were new in the last hour
	complained time.Time            // when it was last said that there are too many
}

// verdict is what was said of a name.
type verdict struct {
	name   string
	stored bool // there is a certificate in the storage, so that nothing is new
	err    error
}

const (
	maxAsking   = 8
	maxRefused  = 10_000
	maxDemanded = 10_000
	askTime     = 10 * time.Second
	refusedTime = time.Minute
)

// errRefused is that a name may not be got.
var errRefused = errors.New("who was asked does not vouch for the name")

func newDemand(said config.OnDemand, log *slog.Logger) *demand {
	return &demand{
		said: said, log: log, names: make(chan string, 64), results: make(chan verdict),
		asking: map[string]bool{}, refused: map[string]time.Time{},
		client: &http.Client{
			Timeout:       askTime,
			Transport:     &http.Transport{DisableKeepAlives: true, DialContext: (&net.Dialer{Timeout: askTime}).DialContext},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// wanted are the names that clients ask for; none for a nil demand.
func (d *demand) wanted() <-chan string {
	if d == nil {
		return nil
	}
	return d.names
}

// verdicts are what was said of them.
func (d *demand) verdicts() <-chan verdict {
	if d == nil {
		return nil
	}
	return d.results
}

// want is called in handshakes.
func (d *demand) want(name string) {
	if d == nil || !certifiable(name) {
		return
	}
	select {
	case d.names <- name:
	default:
	}
}

// certifiable tells whether a name could be one of a certificate on demand.
func certifiable(name string) bool {
	if _, err := netip.ParseAddr(name); err == nil || len(name) > 253 || !strings.Contains(name, ".") {
		return false
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			return false
		}
	}
	return true
}

// may asks whether a name may be got.
func (d *demand) may(ctx context.Context, name string) error {
	u, err := url.Parse(d.said.Ask)
	if err != nil {
		return err
	}
	query := u.Query()
	query.Set("domain", name)
	u.RawQuery = query.Encode()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return err
	}
	answer, err := d.client.Do(request)
	if err != nil {
		return fmt.Errorf("cannot ask whether the name may be got: %w", err)
	}
	_ = answer.Body.Close()
	switch {
	case answer.StatusCode == http.StatusOK:
		return nil
	case answer.StatusCode >= 500:
		return fmt.Errorf("cannot ask whether the name may be got: status %d", answer.StatusCode)
	}
	return errRefused
}

// consider has a name asked about that a client wants.
func (m *Manager) consider(ctx context.Context, name string) {
	d, now := m.demand, time.Now()
	if m.subject(name) != nil || d.asking[name] || now.Before(d.refused[name]) || len(d.asking) >= maxAsking || d.count.Load() >= maxDemanded {
		return
	}
	d.asking[name] = true
	m.working.Go(func() {
		v := verdict{name: name, err: d.may(ctx, name)}
		if v.err == nil {
			c, _ := m.load(ctx, name)
			v.stored = c != nil
		}
		select {
		case d.results <- v:
		case <-ctx.Done():
		}
	})
}

// grant takes up a name that was vouched for.
func (m *Manager) grant(v verdict) {
	d, now := m.demand, time.Now()
	delete(d.asking, v.name)
	d.granted = slices.DeleteFunc(d.granted, func(at time.Time) bool { return now.Sub(at) >= time.Hour })
	switch {
	case v.err != nil:
		d.log.Debug("a client asks for a name that may not be got", "name", v.name, "reason", v.err)
	case !v.stored && len(d.granted) >= d.said.Rate:
		if now.Sub(d.complained) >= time.Hour {
			d.complained = now
			d.log.Warn("more names are asked for than may be new in an hour (`on_demand.rate`); the others wait", "name", v.name, "rate", d.said.Rate)
		}
	default:
		if !v.stored {
			d.granted = append(d.granted, now)
		}
		m.add(v.name)
		return
	}
	if len(d.refused) >= maxRefused {
		clear(d.refused)
	}
	d.refused[v.name] = now.Add(refusedTime)
}

// add serves one more name.
func (m *Manager) add(name string) {
	m.publish.Lock()
	defer m.publish.Unlock()
	next := make(map[string]*subject)
	for n, s := range *m.served.Load() {
		next[n] = s
	}
	if next[name] == nil {
		s := newSubject(name)
		s.demanded = true
		next[name] = s
		m.demand.count.Add(1)
	}
	m.served.Store(&next)
	m.poke()
}

// drop lets go of a name that is on demand.
func (m *Manager) drop(gone *subject) {
	m.publish.Lock()
	defer m.publish.Unlock()
	next := make(map[string]*subject)
	for n, s := range *m.served.Load() {
		if s != gone {
			next[n] = s
		}
	}
	m.demand.count.Add(-1)
	m.served.Store(&next)
	m.poke()
}
