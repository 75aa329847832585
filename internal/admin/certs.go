package admin

import (
	"net/http"
	"time"

	"rgate/internal/cert"
)

// CertEntry is how it stands with one certificate.
type CertEntry struct {
	Names    []string   `json:"names"`
	Kind     string     `json:"kind"`                // file, acme or internal
	Issuer   string     `json:"issuer,omitempty"`    // while there is none, none
	NotAfter *time.Time `json:"not_after,omitempty"` // while there is one
	Renewal  *time.Time `json:"renewal,omitempty"`   // when it is to be replaced, or tried again
	Error    string     `json:"error,omitempty"`     // why it could not be had, or replaced, the last time
	File     string     `json:"file,omitempty"`
}

// certificates lists those that are served, or tried to be had.
func (g Gateway) certificates(w http.ResponseWriter, _ *http.Request) {
	list := []CertEntry{}
	for _, s := range g.Certificates() {
		list = append(list, CertEntry{Names: s.Names, Kind: s.Kind, Issuer: s.Issuer, NotAfter: known(s.NotAfter), Renewal: known(s.Renewal), Error: s.Error, File: s.File})
	}
	writeJSON(w, list)
}

// known is a time that is known; nil for none.
func known(at time.Time) *time.Time {
	if at.IsZero() {
		return nil
	}
	at = at.UTC()
	return &at
}

// renew has one certificate replaced now, and answers how it stands with it then.
func (g Gateway) renew(w http.ResponseWriter, r *http.Request) {
	name := cert.Normal(r.URL.Query().Get("name"))
	if err := g.Renew(r.Context(), name); err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	writeJSON(w, map[string]string{"status": "renewed", "name": name})
}
