//go:build linux

package conformance

import (
	"context"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"rgate/internal/config"
	"rgate/internal/policy"
	"rgate/internal/rig"
	"rgate/internal/rig/ends"
	"rgate/internal/route"
)

// oracle is a policy that asks somebody slow about each path under /ask: the test.
// Others pass.
type oracle struct {
	limit time.Duration

	mu        sync.Mutex
	asked     []*question
	abandoned int
}

// question is one that waits for its answer.
type question struct {
	oracle *oracle
	path   string
	client netip.Addr
	ctx    context.Context
	wake   func()
	refuse bool // set before wake is called
}

var answerForbidden = &policy.Answer{
	Status: 401, Reason: "oracle_says_no", ContentType: "text/plain", Body: []byte("no\n"),
	Fields: [][2]string{{"WWW-Authenticate", "Oracle"}},
}

var answerSilent = &policy.Answer{Status: 503, Reason: "oracle_silent", ContentType: "text/plain", Body: []byte("silent\n")}

func (o *oracle) String() string { return "oracle" }

func (o *oracle) Decide(r policy.Request) policy.Decision {
	if !strings.HasPrefix(string(r.Path), "/ask") {
		return policy.Decision{}
	}
	return policy.Decision{Job: &question{oracle: o, path: string(r.Path), client: r.Client}}
}

func (q *question) Limit() time.Duration { return q.oracle.limit }

func (q *question) Start(ctx context.Context, wake func()) {
	q.ctx, q.wake = ctx, wake
	q.oracle.mu.Lock()
	defer q.oracle.mu.Unlock()
	q.oracle.asked = append(q.oracle.asked, q)
}

func (q *question) Finish() policy.Decision {
	if q.refuse {
		return policy.Decision{Refusal: answerForbidden}
	}
	return policy.Decision{}
}

func (q *question) Late() policy.Decision { return policy.Decision{Refusal: answerSilent} }

func (q *question) Abandon() {
	q.oracle.mu.Lock()
	defer q.oracle.mu.Unlock()
	q.oracle.abandoned++
}

// say answers a question from a goroutine that is no engine's.
func (q *question) say(pass bool) {
	q.refuse = !pass
	done := make(chan struct{})
	go func() { q.wake(); close(done) }()
	<-done
}

// waiting returns the questions once there are n.
func (o *oracle) waiting(t *testing.T, n int) []*question {
	t.Helper()
	var all []*question
	ends.Until(t, "the questions", func() bool {
		o.mu.Lock()
		defer o.mu.Unlock()
		all = append([]*question(nil), o.asked...)
		return len(all) == n
	})
	return all
}

// given are how many were abandoned.
func (o *oracle) given() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.abandoned
}

// demanding serves / from an endpoint with these policies.
func demanding(t *testing.T, engine string, change func(*config.Config), endpoint string, all ...policy.Policy) *rig.Rig {
	t.Helper()
	r := rig.Start(t, engine, change, endpoint)
	next := route.Build(r.Gate.Table().Config, nil, r.Gate.Table())
	chain := &policy.Chain{}
	for _, p := range all {
		chain.Append(p)
	}
	next.Routes[0].Policies = chain
	r.Gate.Swap(next)
	return r
}
