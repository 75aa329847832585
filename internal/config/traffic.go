package config

import "time"

// Traffic is how the requests of one backend are spread, retried, bounded and
// drained. In a Backend it is resolved: its own values, else the file's
// top-level ones, else the defaults.
type Traffic struct {
	Retries       int           // further attempts after the first
	RetryTimeouts bool          // a request that timed out may be sent again
	DrainTimeout  time.Duration // how long a leaving endpoint's exchanges may take
	Balance       Balance
	Sticky        Sticky
	Health        Health
	Eject         Eject
	SlowStart     time.Duration // over which a new endpoint gets its full share; 0 for at once
	MaxInFlight   int           // exchanges at once; 0 for no bound
	Queue         Queue
}

// BalancePolicy says which of a backend's endpoints takes a request.
type BalancePolicy string

// The balance policies.
const (
	BalanceRandom         BalancePolicy = "random"
	BalanceLeastRequest   BalancePolicy = "least_request" // of two picked at random, the one with fewer in flight
	BalanceRoundRobin     BalancePolicy = "round_robin"
	BalanceConsistentHash BalancePolicy = "consistent_hash" // same key, same endpoint, with bounded load
)

// Balance is the policy, and for consistent_hash what is hashed.
type Balance struct {
	Policy   BalancePolicy
	HashBy   HashBy // "" unless Policy is BalanceConsistentHash
	HashName string // of the header or cookie; "" for the others
}

// HashBy says which part of a request consistent_hash looks at.
type HashBy string

// What consistent_hash can look at.
const (
	HashByHeader   HashBy = "header"
	HashByCookie   HashBy = "cookie"
	HashByClientIP HashBy = "client_ip"
	HashByPath     HashBy = "path"
)

// Sticky keeps a client on the endpoint it had, by a signed cookie.
type Sticky struct {
	Cookie string // name of the cookie; "" for off
	Secret string // signs it; "" for one made when rgate starts
}

// Health is active probing, by HTTP or by gRPC.
type Health struct {
	Path           string  // that is asked for; "" for none
	GRPC           Service // that grpc.health.v1 is asked about
	Interval       time.Duration
	Timeout        time.Duration
	Expect         int // status code of a passed probe
	HealthyAfter   int // passed probes in a row
	UnhealthyAfter int // failed probes in a row
}

// On tells whether endpoints are probed.
func (h *Health) On() bool { return h.Path != "" || h.GRPC.Asked }

// Service is one that an endpoint's health service knows.
type Service struct {
	Asked bool
	Name  string // "" for the endpoint as a whole
}

// Eject takes an endpoint out for a while after failures in a row.
type Eject struct {
	ConnectFailures int           // 0 for off
	Timeouts        int           // requests without an answer in time; 0 for off
	ServerErrors    int           // answers of 500 and above; 0 for off
	Base            time.Duration // the first time out; it doubles with each further one
	Max             time.Duration
}

// Queue holds requests above MaxInFlight for a moment.
type Queue struct {
	Size    int // 0 for no queue
	Timeout time.Duration
}
