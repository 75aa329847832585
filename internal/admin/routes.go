package admin

import "rgate/internal/route"

// Routes is the compiled table, for people and programs.
type Routes struct {
	Config   string         `json:"config"`
	Stale    string         `json:"stale,omitempty"`   // why not all is known of the endpoints now
	Drained  []string       `json:"drained,omitempty"` // names and ids of containers that are drained by hand, present or not
	Rejected int64          `json:"rejected_reloads"`  // by the running gateway, since its start
	Routes   []RouteEntry   `json:"routes"`
	Backends []BackendEntry `json:"backends"`
	Log      LogEntry       `json:"log"`
}

// LogEntry counts the records that are missing from the log since the start.
type LogEntry struct {
	Dropped int64 `json:"dropped"` // its reader did not keep up
	Lost    int64 `json:"lost"`    // its reader was gone, or the disk full
}

// RouteEntry is one route to one of its backends.
type RouteEntry struct {
	Route      string `json:"route"` // what it asks for, all in one
	PathPrefix string `json:"path_prefix"`
	Match      string `json:"match"`
	Backend    string `json:"backend"`
	Line       int    `json:"line"`
}

// BackendEntry is one backend with its endpoints and what was left out.
type BackendEntry struct {
	Backend   string          `json:"backend"`
	Balance   string          `json:"balance"`
	Scheme    string          `json:"scheme"` // what its endpoints speak
	Endpoints []EndpointEntry `json:"endpoints"`
	LeftOut   []LeftOutEntry  `json:"left_out"`
}

// EndpointEntry is one endpoint and its state.
type EndpointEntry struct {
	Name     string `json:"name"`
	Address  string `json:"address"`
	State    string `json:"state"`
	InFlight int64  `json:"in_flight"`
	Note     string `json:"note,omitempty"`
}

// LeftOutEntry is one container that carries the labels but takes nothing.
type LeftOutEntry struct {
	Name   string `json:"name"`
	Reason string `json:"reason"`
}

// Describe lists what is in t.
func Describe(t *route.Table) Routes {
	d := Routes{Config: t.Config.File, Stale: t.Stale(), Drained: t.Held, Routes: []RouteEntry{}, Backends: []BackendEntry{}}
	for _, r := range t.Routes {
		for _, to := range r.Targets {
			d.Routes = append(d.Routes, RouteEntry{r.ID, r.Prefix, string(r.Match), to.Name(), r.Line})
		}
	}
	for _, b := range t.Backends {
		entry := BackendEntry{Backend: b.Name, Balance: string(b.Balance), Scheme: string(b.Link.Scheme()), Endpoints: []EndpointEntry{}, LeftOut: []LeftOutEntry{}}
		for _, e := range b.Endpoints {
			entry.Endpoints = append(entry.Endpoints, EndpointEntry{e.Name, e.Address, e.State(), e.InFlight(), b.Notes[e]})
		}
		for _, c := range b.LeftOut {
			entry.LeftOut = append(entry.LeftOut, LeftOutEntry{c.Name, c.Reason})
		}
		d.Backends = append(d.Backends, entry)
	}
	return d
}
