package acme

import (
	"container/heap"
	"context"
	"errors"
	"strings"
	"time"

	"github.com/mholt/acmez/v3/acme"
)

// order is somebody's wish that a name's certificate be replaced now.
type order struct {
	name string
	done chan error
}

// ErrUnknown is that a manager does not have a name.
var ErrUnknown = errors.New("there is no such certificate")

// Renew has the certificate for a name replaced now, and waits for that.
func (m *Manager) Renew(ctx context.Context, name string) error {
	o := order{name, make(chan error, 1)}
	select {
	case m.orders <- o:
	case <-m.ended:
		return errors.New("this process is about to end")
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-o.done:
		return err
	case <-m.ended:
		return errors.New("this process is about to end")
	case <-ctx.Done():
		return errors.New("it takes longer, and goes on")
	}
}

// take has the job of an order begin, or has it wait for the one under way.
func (m *Manager) take(o order) {
	s := (*m.served.Load())[o.name]
	if s == nil || !s.known {
		o.done <- ErrUnknown
		return
	}
	m.waiting[s] = append(m.waiting[s], o)
	if m.active[s] != nil {
		return // who asks twice gets one
	}
	s.force, s.next = true, time.Now()
	heap.Fix(&m.queue, s.at)
}

// answer tells who ordered s what came of it.
func (m *Manager) answer(s *subject, err error) {
	for _, o := range m.waiting[s] {
		o.done <- err
	}
	delete(m.waiting, s)
}

// settle takes in what came of a job, and says when the next is.
func (m *Manager) settle(r result) {
	s := r.subject
	m.busy[s.failing]--
	m.active[s]()
	delete(m.active, s)
	if r.dropped {
		m.drop(s)
	}
	if (*m.served.Load())[s.name] != s {
		s.known = false
		m.answer(s, errGone)
		return
	}
	s.looked, s.have, s.info, s.asked = true, r.have, r.info, r.asked
	if s.have != nil {
		s.cert.Store(s.have.Certificate)
	}
	now := time.Now()
	if r.err == nil {
		m.well(s, r.fresh)
	} else {
		m.failed(s, r, now)
	}
	told := &status{renewal: s.next}
	if s.have != nil && r.err == nil {
		told.renewal = renewal(s.have.Leaf, s.info)
	}
	if r.err != nil {
		told.problem = plainly(r.err)
	}
	s.status.Store(told)
	heap.Push(&m.queue, s)
	if r.err != nil {
		m.answer(s, errors.New(told.problem))
	} else {
		m.answer(s, nil)
	}
}

// well is for a name that has what it should.
func (m *Manager) well(s *subject, fresh bool) {
	s.next = renewal(s.have.Leaf, s.info)
	if s.asked.Before(s.next) {
		s.next = s.asked
	}
	if fresh || s.failures > 0 {
		m.log.Info("a certificate was got", "name", s.name, "issuer", s.have.Leaf.Issuer.CommonName, "not_after", s.have.Leaf.NotAfter.UTC())
	}
	s.failures = 0
}

// failed is for a name whose certificate could not be had. The first failure of
// a row is told to the operator, and all once the certificate before is about to
// expire.
func (m *Manager) failed(s *subject, r result, now time.Time) {
	s.failures++
	s.next = again(s.failures, now, r.after)
	attrs := []any{"name", s.name, "reason", plainly(r.err), "next_try", s.next.UTC().Truncate(time.Second)}
	if hint := remedy(r.err); hint != "" {
		attrs = append(attrs, "hint", hint)
	}
	switch {
	case s.have == nil && s.failures == 1:
		m.log.Error("no certificate yet: clients that ask for this host get an alert, others are served", attrs...)
	case s.have != nil && s.have.Leaf.NotAfter.Sub(now) < lifetime(s.have.Leaf)/10:
		m.log.Error("a certificate expires soon and cannot be renewed", append(attrs, "not_after", s.have.Leaf.NotAfter.UTC())...)
	case s.failures == 1:
		m.log.Warn("a certificate cannot be renewed yet; the one before is served on", append(attrs, "not_after", s.have.Leaf.NotAfter.UTC())...)
	default:
		m.log.Debug("a certificate cannot be had, again", attrs...)
	}
}

// plainly is an error on one line, without what is said twice.
func plainly(err error) string {
	if errors.Is(err, errBudget) {
		return errBudget.Error()
	}
	if p, ok := errors.AsType[acme.Problem](err); ok && p.Detail != "" {
		return strings.ReplaceAll(p.Detail, "\n", " ")
	}
	text := strings.ReplaceAll(err.Error(), "\n", "; ")
	if _, rest, ok := strings.Cut(text, "] Obtain: "); ok {
		text = rest
	} else if _, rest, ok := strings.Cut(text, "] Renew: "); ok {
		text = rest
	}
	return text
}

// remedies say what an operator can do about an authority's problems (RFC 8555
// §6.7).
var remedies = map[string]string{
	acme.ProblemTypeDNS:                     "does the name have an A or AAAA record that leads to this machine?",
	acme.ProblemTypeConnection:              "the authority must reach this machine on port 80 (http-01) or 443 (tls-alpn-01): is a firewall between, or another machine at the name's address?",
	acme.ProblemTypeUnauthorized:            "somebody else answers at the name's address: does its DNS record lead here, and do ports 80 and 443 lead to rgate?",
	acme.ProblemTypeTLS:                     "port 443 of the name's address must lead to rgate unopened: what ends TLS before it can only be passed by http-01 or dns-01",
	acme.ProblemTypeIncorrectResponse:       "somebody else answers at the name's address: does its DNS record lead here?",
	acme.ProblemTypeCAA:                     "the name's CAA record lets other authorities issue alone: add this one",
	acme.ProblemTypeRateLimited:             "the authority's limit is reached: rgate waits as long as it says",
	acme.ProblemTypeRejectedIdentifier:      "the authority issues nothing for this name: take the host out of the routes, or give a certificate in files",
	acme.ProblemTypeExternalAccountRequired: "the authority wants an account of its own to be named under `eab`",
}

func remedy(err error) string {
	if p, ok := errors.AsType[acme.Problem](err); ok {
		return remedies[p.Type]
	}
	if errors.Is(err, errBudget) {
		return "mend what failed before; `rgate certs` shows it"
	}
	return ""
}
