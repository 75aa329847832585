package proxy

import (
	"context"
	"time"

	"rgate/internal/policy"
)

// consider asks the policies of x's route that were not asked yet, in order, and
// lets x on where all let it pass.
func (x *Exchange) consider() Verdict {
	for all := x.Route.Policies.Deciders; x.considered < len(all); {
		p := all[x.considered]
		x.considered++
		if v, decided := x.obey(p.Decide(x.request())); decided {
			return v
		}
	}
	x.rewrite()
	return x.enter(x.target.Backend)
}

// request is what policies see of x.
func (x *Exchange) request() policy.Request {
	return policy.Request{
		Method: x.Method, Host: x.Host, Path: x.Path, Query: x.Query,
		Header: x.Header, Client: x.Client, Start: x.Start, Speaker: x,
	}
}

// obey does what a policy says; decided is false where that lets x pass.
func (x *Exchange) obey(d policy.Decision) (v Verdict, decided bool) {
	if d.Consumer != nil {
		x.Consumer = d.Consumer
	}
	switch {
	case d.Refusal != nil:
		return x.reply(d.Refusal), true
	case d.Job != nil:
		x.question, x.Job = d.Job, question{x}
		return Wait, true
	}
	return 0, false
}

// question is the job that a policy of x's route wants done.
type question struct{ x *Exchange }

// Limit implements Job.
func (q question) Limit() time.Duration { return q.x.question.Limit() }

// Start implements Job.
func (q question) Start(ctx context.Context, wake func()) { q.x.question.Start(ctx, wake) }

// Finish implements Job.
func (q question) Finish() Verdict { return q.goOn(q.x.question.Finish()) }

// Late implements Job.
func (q question) Late() Verdict { return q.goOn(q.x.question.Late()) }

// Abandon implements Job.
func (q question) Abandon() { q.x.question.Abandon() }

// goOn goes on with what the policy says in the end, or with the next policy.
func (q question) goOn(d policy.Decision) Verdict {
	if v, decided := q.x.obey(d); decided {
		return v
	}
	return q.x.consider()
}
