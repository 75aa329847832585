package admin

import (
	"encoding/json"
	"net/http"

	"rgate/internal/route"
	"rgate/internal/stats"
)

// Stats serves the statistics: the totals, or with ?by=route, backend or
// endpoint an object per item.
func Stats(table func() *route.Table) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "only GET and HEAD work here", http.StatusMethodNotAllowed)
			return
		}
		var report any
		switch by := r.URL.Query().Get("by"); by {
		case "":
			report = table().Total().Report()
		case "route":
			report = byRoute(table())
		case "backend":
			report = byBackend(table())
		case "endpoint":
			report = byEndpoint(table())
		default:
			http.Error(w, "by must be route, backend or endpoint", http.StatusBadRequest)
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		writeJSON(w, report)
	})
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	// The only error left is the client's going away.
	_ = enc.Encode(v)
}

// RouteStats is the traffic of one route.
type RouteStats struct {
	PathPrefix string `json:"path_prefix"`
	Backend    string `json:"backend"`
	stats.ItemReport
}

// BackendStats is the traffic of one backend, over all its routes.
type BackendStats struct {
	Backend string `json:"backend"`
	stats.ItemReport
}

// EndpointStats is the attempts on one endpoint.
type EndpointStats struct {
	Backend  string `json:"backend"`
	Endpoint string `json:"endpoint"`
	Address  string `json:"address"`
	State    string `json:"state"`
	stats.ItemReport
}

func byRoute(t *route.Table) []RouteStats {
	all := []RouteStats{}
	for _, r := range t.Routes {
		all = append(all, RouteStats{r.Prefix, r.Backend.Name, r.Stats.Snapshot().ItemReport()})
	}
	return all
}

func byBackend(t *route.Table) []BackendStats {
	all := []BackendStats{}
	for _, b := range t.Backends {
		all = append(all, BackendStats{b.Name, t.BackendTotal(b).ItemReport()})
	}
	return all
}

func byEndpoint(t *route.Table) []EndpointStats {
	all := []EndpointStats{}
	for _, e := range t.Endpoints() {
		all = append(all, EndpointStats{e.Backend, e.Name, e.Address, e.State(), e.Stats.Snapshot().ItemReport()})
	}
	return all
}
