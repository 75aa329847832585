// Package discovery is the vocabulary between whoever knows where endpoints
// are (a Docker engine, a resolver, later Swarm or Kubernetes) and the route table. It
// holds no I/O and imports nothing of ours.
package discovery

import (
	"context"
	"reflect"
	"time"
)

// AddressMode says which of a container's addresses a backend wants.
type AddressMode string

// The address modes of a backend.
const (
	AddressAuto      AddressMode = "auto"      // whatever can be reached: container first, then published
	AddressContainer AddressMode = "container" // the container's own IP and port
	AddressPublished AddressMode = "published" // the port published on the engine's host
)

// Label is one requirement on a container's labels.
type Label struct {
	Key      string
	Value    string
	AnyValue bool // the key alone was given: present is enough
}

// String is the label as the config file spells it: key or key=value.
func (l Label) String() string {
	if l.AnyValue {
		return l.Key
	}
	return l.Key + "=" + l.Value
}

// Matches tells whether a container's labels satisfy l.
func (l Label) Matches(labels map[string]string) bool {
	value, ok := labels[l.Key]
	return ok && (l.AnyValue || value == l.Value)
}

// Selector says what are the endpoints of a backend: the containers that carry
// all Labels, and how they are to be reached; or the addresses of Names.
type Selector struct {
	Backend         string
	Names           []string // host:port, to be looked up; nil where it is containers that are looked for
	Labels          []Label
	Port            int // container port; 0: the only, else the lowest exposed TCP port
	Address         AddressMode
	Network         string // name of the Docker network to use; "" for any
	WeightLabel     string // label that holds a weight; "" for none
	GenerationLabel string // label that tells generations apart; "" for none
}

// Equal tells whether both look for the same in the same way, for the same
// backend.
func (s Selector) Equal(other Selector) bool { return reflect.DeepEqual(s, other) }

// Candidate is one container, or one address of a name, looked at for one
// backend: an endpoint of it where Reason is empty, and left out with that
// reason otherwise.
type Candidate struct {
	Backend    string
	ID         string    // the container's full id, or the host:port that was looked up
	Name       string    // the container's name, without the slash; host:port, with the address where there are several
	Address    string    // host:port to connect to; "" where it is not known
	Reason     string    // why it is left out, for people; "" for an endpoint
	Foreign    bool      // it lacks a label, so it is none of the backend's
	Note       string    // what a user should know of the choice made; "" for nothing
	Created    time.Time // when the container was created
	Started    time.Time // when it was last seen to start, where that is known
	Weight     int       // at least 1
	Generation string    // value of the generation label
}

// Usable tells whether the candidate takes requests.
func (c Candidate) Usable() bool { return c.Reason == "" }

// View is one source's complete picture at one moment: what is not in it is
// gone. Candidates are sorted by backend, then name, then id.
type View struct {
	Source string // "docker" or "names"
	// Selectors are those that the candidates answer: a source that was told to
	// look for something else goes on with its picture of the old until it has
	// one of the new. Nil is for whatever it was told last.
	Selectors  []Selector
	Candidates []Candidate
	Stale      string // why the source cannot be asked now; "" while it answers
}

// Source watches for endpoints. Watch emits a View at once when it has one and
// again on each change, until ctx ends; it owns reconnecting and returns only
// ctx's error. emit must not be kept waiting and must not be called after
// Watch returned.
type Source interface {
	Watch(ctx context.Context, emit func(View)) error
}
