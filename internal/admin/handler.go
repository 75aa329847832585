package admin

import (
	"context"
	"net/http"

	"rgate/internal/cert"
	"rgate/internal/route"
)

// Gateway is what the socket asks and tells, as functions.
type Gateway struct {
	Table      func() *route.Table
	Statistics *Statistics
	Unlogged   func() (dropped, lost int64) // what the log could not write; nil for nothing
	// Reload answers what is not as it should be though the file is in place.
	Reload func() (note string, err error)
	// Rejected is how many reloads kept the running table since the file was bad.
	Rejected func() int64
	Drain    func(container string) (endpoints int, err error)
	Undo     func(container string) (endpoints int, err error) // of a Drain
	Ready    func() error                                      // why requests should not come here yet, or any more
	// Certificates are those that are served, or tried to be had.
	Certificates func() []cert.Status
	// Renew has the certificate for a name replaced now.
	Renew func(ctx context.Context, name string) error
	// Root is what is to be trusted of rgate's own authority; not ok where it has
	// none.
	Root func() (root any, ok bool)
	// Upgrade answers the process that has taken over, or why none has.
	Upgrade func() (pid int, err error)
}

// Handler serves the socket: /stats, /routes, /reload, /upgrade, /ca, /drain,
// /undrain, /certs, /certs/renew, /healthz and /readyz. What changes something wants POST.
func Handler(g Gateway) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/stats", g.Statistics)
	mux.HandleFunc("GET /routes", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, g.describe()) })
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, map[string]string{"status": "alive"}) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if err := g.Ready(); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		writeJSON(w, map[string]string{"status": "ready"})
	})
	mux.HandleFunc("POST /reload", func(w http.ResponseWriter, _ *http.Request) {
		note, err := g.Reload()
		if err != nil {
			http.Error(w, err.Error(), http.StatusUnprocessableEntity)
			return
		}
		writeJSON(w, map[string]string{"status": "reloaded", "note": note})
	})
	mux.HandleFunc("POST /upgrade", func(w http.ResponseWriter, _ *http.Request) {
		pid, err := g.Upgrade()
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		writeJSON(w, map[string]int{"pid": pid})
	})
	mux.HandleFunc("GET /ca", func(w http.ResponseWriter, _ *http.Request) {
		root, ok := g.Root()
		if !ok {
			http.Error(w, "this gateway has no authority of its own: no listener has `tls: internal`", http.StatusNotFound)
			return
		}
		writeJSON(w, root)
	})
	mux.HandleFunc("GET /certs", g.certificates)
	mux.HandleFunc("POST /certs/renew", g.renew)
	mux.HandleFunc("POST /drain", onContainer(g.Drain))
	mux.HandleFunc("POST /undrain", onContainer(g.Undo))
	return mux
}

func (g Gateway) describe() Routes {
	d := Describe(g.Table())
	d.Rejected = g.Rejected()
	if g.Unlogged != nil {
		d.Log.Dropped, d.Log.Lost = g.Unlogged()
	}
	return d
}

func onContainer(do func(string) (int, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		name := r.URL.Query().Get("container")
		n := 0
		if name != "" {
			var err error
			if n, err = do(name); err != nil {
				http.Error(w, err.Error(), http.StatusServiceUnavailable)
				return
			}
		}
		if n == 0 {
			http.Error(w, "no endpoint is a container of that name or id", http.StatusNotFound)
			return
		}
		writeJSON(w, map[string]int{"endpoints": n})
	}
}
