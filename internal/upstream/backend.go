package upstream

import (
	"sync"
	"sync/atomic"
	"time"
)

// Balance says which of several endpoints takes a request.
type Balance string

// The balances.
const (
	Random         Balance = "random"
	LeastRequest   Balance = "least_request" // the less busy of two picked at random
	RoundRobin     Balance = "round_robin"
	ConsistentHash Balance = "consistent_hash"
)

// Rules are a backend's traffic rules: plain data, compiled from the config.
type Rules struct {
	Balance       Balance
	Retries       int  // further attempts after the first
	RetryTimeouts bool // also after one that timed out
	Eject         EjectRules
	SlowStart     time.Duration
	MaxFlight     int // attempts in flight at once; 0 is no limit
	QueueSize     int // requests that may wait while MaxFlight is reached
	QueueTime     time.Duration
}

// Backend is the endpoints of one name in one table, newest generation first.
// It never changes after Build; what must outlive it is in State.
type Backend struct {
	Name string
	Rules
	Endpoints   []*Endpoint   // all of them
	Generations [][]*Endpoint // the same, by generation, newest first
	*State
}

// State is what a backend keeps across tables.
type State struct {
	Budget Budget
	Gate   Admission
	turn   atomic.Uint64 // of round robin

	ejecting sync.Mutex // held while one endpoint is put aside
}

// NewBackend makes a backend of generations, newest first. state is its
// predecessor's, or nil for a new one.
func NewBackend(name string, rules Rules, generations [][]*Endpoint, state *State) *Backend {
	if state == nil {
		state = &State{}
	}
	state.Gate.configure(rules.MaxFlight, rules.QueueSize)
	b := &Backend{Name: name, Rules: rules, Generations: generations, State: state}
	for _, g := range generations {
		b.Endpoints = append(b.Endpoints, g...)
	}
	return b
}
