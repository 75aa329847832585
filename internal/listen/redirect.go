package listen

import (
	"net"
	"strconv"
)

// Redirect is what a listener that redirects to HTTPS knows: the listeners that
// speak TLS.
type Redirect struct{ to []*Listener }

// HTTPS is the port on which a host's certificate is served; not ok for none.
func (r *Redirect) HTTPS(host []byte) (port string, ok bool) {
	name := bare(string(host))
	for _, l := range r.to {
		t := l.TLS()
		if t == nil || !t.certs.Covers(name) {
			continue
		}
		if a, ok := l.Addr().(*net.TCPAddr); ok {
			return strconv.Itoa(a.Port), true
		}
	}
	return "", false
}

// Redirect is where l sends requests; nil for nowhere.
func (l *Listener) Redirect() *Redirect { return l.redirect.Load() }

// lead has the listeners that are to redirect do so, to those of s that speak
// TLS.
func (s Set) lead() {
	r := &Redirect{}
	for _, l := range s {
		if l.TLS() != nil {
			r.to = append(r.to, l)
		}
	}
	for _, l := range s {
		if l.Config().Redirect == "" {
			l.redirect.Store(nil)
		} else {
			l.redirect.Store(r)
		}
	}
}
