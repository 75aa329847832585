package acme

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/mholt/acmez/v3/acme"
)

// job is one look at a name: its certificate is read from the storage, and got
// or replaced where it has to be. It works on copies.
type job struct {
	*Manager
	name     string
	first    bool // the storage was never looked into for it
	demanded bool
	force    bool
	have     *held
	info     acme.RenewalInfo // of have
	asked    time.Time        // when the authority is to be asked again
}

// result is what came of a job.
type result struct {
	*subject
	have    *held // to be served; nil for none
	info    acme.RenewalInfo
	asked   time.Time
	fresh   bool // it was got just now
	dropped bool // nobody vouches any more for a name that is on demand
	err     error
	after   time.Time // before which the authority wants no more; zero where it does not say
}

// jobTime bounds a job. Records of DNS have their own time besides.
const jobTime = 5 * time.Minute

func (j *job) do(ctx context.Context) result {
	ctx, cancel := context.WithTimeout(ctx, jobTime+2*j.said.DNS.Propagation)
	defer cancel()
	if err := j.reload(ctx); err != nil && j.have == nil {
		return j.result(fmt.Errorf("cannot read the storage: %w", err))
	}
	if j.first && j.have != nil && !j.force {
		return j.result(nil) // served before anybody is asked
	}
	j.ask(ctx)
	if !j.due() {
		return j.result(nil)
	}
	if j.demanded {
		if err := j.demand.may(ctx, j.name); errors.Is(err, errRefused) {
			r := j.result(nil)
			r.dropped = true
			return r
		} else if err != nil {
			return j.result(err)
		}
	}
	lock := "name_" + j.name
	if err := j.storage.Lock(ctx, lock); err != nil {
		return j.result(fmt.Errorf("cannot lock the storage: %w", err))
	}
	defer func() { _ = j.storage.Unlock(context.WithoutCancel(ctx), lock) }()
	before := j.have
	if err := j.reload(ctx); err == nil && j.have != before {
		j.ask(ctx)
		if j.force = false; !j.due() { // another process was faster
			return j.result(nil)
		}
	}
	return j.order(ctx)
}

func (j *job) result(err error) result {
	return result{have: j.have, info: j.info, asked: j.asked, err: err}
}

// reload looks whether another process has a newer certificate.
func (j *job) reload(ctx context.Context) error {
	c, err := j.load(ctx, j.name)
	if err == nil && c != nil && (j.have == nil || !c.Leaf.Equal(j.have.Leaf)) {
		j.have, j.info, j.asked = c, acme.RenewalInfo{}, time.Time{}
	}
	return err
}

// due tells whether there is to be another certificate.
func (j *job) due() bool {
	return j.force || j.have == nil || !time.Now().Before(renewal(j.have.Leaf, j.info))
}

// ask asks the authority of a certificate when it wants that to be replaced.
// What cannot be learnt is left as it was: it is advice.
func (j *job) ask(ctx context.Context) {
	if j.have == nil || time.Now().Before(j.asked) {
		return
	}
	for _, a := range j.authorities {
		if a.IssuerKey() != j.have.from {
			continue
		}
		bounded, cancel := context.WithTimeout(ctx, requestTime)
		info, err := a.advice(bounded, j.have.Leaf)
		cancel()
		if err == nil && !info.SameWindow(j.info) {
			j.info = info
		} else if err == nil {
			j.info.RetryAfter = info.RetryAfter // the time within the window was chosen once
		} else {
			j.info.RetryAfter = nil
			j.log.Debug("an authority did not say when to renew", "name", j.name, "error", err)
		}
	}
	j.asked = poll(j.have.Leaf, j.info, time.Now())
}

// order has a certificate made. It is called with the lock of the name.
func (j *job) order(ctx context.Context) result {
	orders := j.ordered(ctx, j.name)
	left, next := budget(orders, time.Now())
	if left == 0 {
		r := j.result(errBudget)
		r.after = next
		return r
	}
	t := &trip{left: left, ordering: map[string]bool{}}
	var err error
	if j.have == nil {
		err = j.magic.ObtainCertSync(t.on(ctx), j.name)
	} else {
		o := &old{j.have.Leaf, j.have.from}
		err = j.magic.RenewCertSync(o.on(t.on(ctx)), j.name, true)
	}
	made, after := t.came()
	if kept := j.record(context.WithoutCancel(ctx), j.name, orders, made, err == nil); kept != nil {
		err = errors.Join(err, kept)
	}
	if before := j.have; err == nil {
		if err = j.reload(ctx); err == nil && j.have == before {
			err = errors.New("what the authority issued is not in the storage")
		}
	}
	j.ask(ctx)
	r := j.result(err)
	r.fresh, r.after = err == nil, after
	return r
}
