// Package config turns the one YAML file into data: defaults filled in, names
// resolved, and every problem of the file reported at once with its position.
// It imports nothing of ours and does no I/O but reading the file.
package config

import (
	"net/netip"
	"time"
)

// Config is a whole, valid configuration. Defaults are filled in, so no reader
// needs to know them.
type Config struct {
	File            string     // path it was read from
	Sum             Sum        // of the text it was made from
	Listen          string     // address to listen on, such as ":8080"; "" where the file does not say
	Listeners       []Listener // beside that
	Routes          []Route
	Consumers       []Consumer
	Backends        []Backend
	DefaultResponse Response
	Stats           Stats
	Admin           Admin
	StateDir        string // where rgate keeps what is to outlive it; "" for a default that depends on the user
	Upgrade         Upgrade
	Docker          Docker
	Timeouts        Timeouts
	Limits          Limits
	TrustedProxies  []netip.Prefix
	ReasonHeader    bool    // send X-Rgate-Reason on answers of rgate's own
	HalfClose       string  // what a client's half-close means to its exchange: cancel or answer
	Engine          string  // what moves the bytes: auto, loop or standard
	Traffic         Traffic // what a backend gets that says nothing itself; its DrainTimeout also bounds rgate's own end
}

// The engines a file can ask for.
const (
	EngineAuto     = "auto"     // the loop where it runs, else standard
	EngineLoop     = "loop"     // epoll, Linux only
	EngineStandard = "standard" // a goroutine per connection, everywhere
)

// What becomes of an exchange whose client finished sending before its answer.
const (
	HalfCloseCancel = "cancel" // it is taken to be gone
	HalfCloseAnswer = "answer" // it is taken to be waiting
)

// MatchMode says where a path prefix may end.
type MatchMode string

// The match modes of a route.
const (
	MatchLiteral MatchMode = "literal" // anywhere: /api takes /apiary
	MatchSegment MatchMode = "segment" // at a slash or the end: /api does not take /apiary
)

// Route sends the requests that are as it asks to a backend.
type Route struct {
	Hosts      []string // as requests are compared with them, or `*.` and what follows; empty for any
	PathPrefix string
	Methods    []string    // empty for any
	Headers    []Condition // by name
	Query      []Condition // by name
	Backend    string      // name of one of Config.Backends; "" where a policy answers
	Match      MatchMode
	GRPCWeb    bool      // endpoints get calls of gRPC-Web as calls of gRPC
	Policies   []*Policy // one that has a name is the same for all who call it so
	Line       int       // where the route begins in the file, from 1
	HostSpots  []Spot    // where the file names each of Hosts, for what is found out later
}

// Spot is a line and a column of the file, both from 1.
type Spot struct{ Line, Column int32 }

// IP says which clients a route takes requests of. Deny wins over Allow.
type IP struct {
	Allow []netip.Prefix // nil for all
	Deny  []netip.Prefix
}

// Backend is a set of endpoints: the containers that carry all MatchLabels,
// and the static Endpoints beside them.
type Backend struct {
	Name        string
	MatchLabels []Label
	Port        int // container port; 0 to choose by the exposed ones
	Scheme      Scheme
	TLS         EndpointTLS // where Scheme.Secure

	ProxyProtocol string // ProxyV1 or ProxyV2: each connection begins with who connects; "" for none

	Address   string // auto, container or published
	Network   string // Docker network to reach containers on; "" for any
	Endpoints []string

	GenerationLabel string // label that tells generations apart; "" for none
	WeightLabel     string // label that holds a weight; "" for none

	Traffic Traffic // resolved: the backend's own, else the file's, else the default
	Line    int     // where the backend begins in the file, from 1
}

// Label is one label a container must carry. With AnyValue the key is enough.
type Label struct {
	Key      string
	Value    string
	AnyValue bool
}

// Response is what rgate answers when no route matches.
type Response struct {
	Body        string
	StatusCode  int
	ContentType string
}

// Upgrade is what holds when a new process takes over from this one.
type Upgrade struct {
	DrainTimeout time.Duration // how long the old process may take for what is in flight
}

// Stats places the statistics page on the public listener.
type Stats struct {
	Path    string // "/stats"; "" for no page there
	Details bool   // whether it tells of routes, backends and endpoints too
}

// Admin is the Unix socket on which a running gateway is asked and told
// things. Whoever may open the socket may do everything.
type Admin struct {
	Socket string // path; "" for the default, which depends on the port
}

// Docker says which engine to watch.
type Docker struct {
	Host string // unix://, tcp:// or ssh://; "" for DOCKER_HOST, else the local socket
	TLS  TLS
}

// TLS names the PEM files of a tcp:// engine.
type TLS struct {
	CA   string
	Cert string
	Key  string
}
