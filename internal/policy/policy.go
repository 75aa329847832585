package policy

import (
	"context"
	"net/netip"
	"time"

	"rgate/internal/config"
)

// Policy decides on the requests of one route.
type Policy interface {
	// Decide says what becomes of a request whose route is found. It does not wait
	// and does not allocate; what takes time is a Job's.
	Decide(r Request) Decision
	// String says what the policy demands, for people.
	String() string
}

// Request is what a policy sees of a request. It is valid until the exchange ends:
// what runs beside the engine takes copies.
type Request struct {
	Method []byte
	Host   []byte
	Path   []byte // normalised
	Query  []byte // with its question mark; nil for none
	Header Header
	Client netip.Addr // whom a trusted proxy vouches for, else who is connected
	Start  time.Time
}

// Header is the fields of a request. Names are in canonical form.
type Header interface {
	Get(name string) []byte              // the first value, nil for none
	Join(dst []byte, name string) []byte // all values, joined by ", "
}

// Decision is what a policy says. The zero Decision lets the request pass.
type Decision struct {
	Refusal *Answer // what the client is told instead; nil for nothing
	Job     Job     // what has to be done before this can be decided; nil for nothing
}

// Job is what a request waits for until its policy can decide. Package proxy has
// the engines wait for it as for all they wait for: see proxy.Job.
type Job interface {
	// Limit is how long it may take.
	Limit() time.Duration
	// Start begins it and does not wait. wake is to be called once, by any
	// goroutine, when it is done. ctx ends with the job, however that ends.
	Start(ctx context.Context, wake func())
	// Finish decides, after wake was called.
	Finish() Decision
	// Late decides where the job took too long.
	Late() Decision
	// Abandon takes the job back: nobody is there any more to be told.
	Abandon()
}

// Compile makes the policies of a route, in the order in which they decide; nil
// for none.
func Compile(c *config.Route) []Policy {
	var all []Policy
	if len(c.IP.Allow)+len(c.IP.Deny) > 0 {
		all = append(all, newIP(&c.IP))
	}
	return all
}
