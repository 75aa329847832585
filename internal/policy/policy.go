package policy

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/netip"
	"strings"
	"time"
)

// Policy is one thing that a route demands of requests, or changes on them. What
// it can do it shows by what else it implements, such as Decider.
type Policy interface {
	// String says what the policy demands, for people.
	String() string
}

// Decider is a policy that decides on requests.
type Decider interface {
	Policy
	// Decide says what becomes of a request whose route is found. It does not wait
	// and does not allocate where it lets pass; what takes time is a Job's.
	Decide(r Request) Decision
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

	Speaker Speaker // has the values of variables
}

// Header is the fields of a request. Names are in canonical form.
type Header interface {
	Get(name string) []byte              // the first value, nil for none
	Join(dst []byte, name string) []byte // all values, joined by ", "
	Count(name string) int               // how many fields have that name
	Cookie(name string) []byte           // the value of a cookie, nil for none
}

// Decision is what a policy says. The zero Decision lets the request pass.
type Decision struct {
	Refusal  *Answer   // what the client is told instead; nil for nothing
	Job      Job       // what has to be done before this can be decided; nil for nothing
	Consumer *Consumer // who it turned out to be; nil for nothing new
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

// mostListed is how many items a policy spells out of a list.
const mostListed = 20

// listed is a list as people are told it: short also for thousands, and another for
// another list.
func listed(all []string, between string) string {
	if len(all) <= mostListed {
		return strings.Join(all, between)
	}
	sum := sha256.Sum256([]byte(strings.Join(all, between)))
	return fmt.Sprintf("%s%sand %d more (%x)", strings.Join(all[:mostListed], between), between, len(all)-mostListed, sum[:4])
}
