package cli

import (
	"cmp"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"rgate/internal/cert"
	"rgate/internal/config"
	"rgate/internal/gateway"
	"rgate/internal/listen"
)

// entry is how a request that is given as a URL comes in.
type entry struct {
	listener    string // which takes it; "" where it is no URL
	certificate string // which is served; "" where none is asked for
	outcome     string // what becomes of the request already there; "" for nothing
}

// enter finds out by which listener a comes in.
func enter(cfg *config.Config, a *asked) (e entry) {
	if a.scheme == "" {
		return e
	}
	first := config.Listener{Address: cmp.Or(cfg.Listen, listen.DefaultAddress)}
	all := append([]config.Listener{first}, cfg.Listeners...)
	port := cmp.Or(a.port, map[string]string{"http": "80", "https": "443"}[a.scheme])
	at := slices.IndexFunc(all, func(l config.Listener) bool { return portOf(l) == port })
	if at < 0 { // the port may be another's that is published
		at = slices.IndexFunc(all, func(l config.Listener) bool { return (l.TLS != nil) == (a.scheme == "https") })
		e.listener = fmt.Sprintf("none is on port %s", port)
		if at < 0 {
			e.listener += ", and none has `tls`"
			e.outcome = "nobody takes it: no listener speaks TLS"
			return e
		}
		e.listener += ": behind a port that is published, it is " + nameOf(all[at], at)
	} else {
		e.listener = nameOf(all[at], at)
	}
	switch l := all[at]; {
	case a.scheme == "https" && l.TLS == nil:
		e.outcome = "the handshake fails: this listener speaks plain HTTP"
	case a.scheme == "http" && l.TLS != nil:
		e.outcome = "400: this listener speaks TLS alone"
	case l.TLS != nil:
		e.secure(cfg, l.TLS, a)
	case l.Redirect != "":
		e.redirect(cfg, a)
	}
	return e
}

func portOf(l config.Listener) string { _, port, _ := net.SplitHostPort(l.Address); return port }

func nameOf(l config.Listener, at int) string {
	if at == 0 {
		return l.Address + " (the first, where --port does not say otherwise)"
	}
	text := l.Name
	if l.Name != l.Address {
		text += " at " + l.Address
	}
	return fmt.Sprintf("%s (line %d)", text, l.Place.Line)
}

// secure says which certificate is served.
func (e *entry) secure(cfg *config.Config, said *config.ListenerTLS, a *asked) {
	t, _, err := listen.OpenTLS(said, listen.Supply{})
	if err != nil {
		e.certificate = "not known: " + strings.ReplaceAll(err.Error(), "\n", "; ")
		return
	}
	vouch := vouching(cfg)
	served := t.Chosen(a.sni, vouch)
	e.certificate = served.String()
	switch asked := t.Chosen(a.name(), vouch); {
	case served.Kind == "":
		e.outcome = "the handshake fails (unrecognized_name): there is no certificate for " + a.sni
	case a.name() != a.sni && !asked.Same(served):
		e.outcome = "421: " + a.name() + " has another certificate than " + a.sni + ", for which the connection was made"
	}
}

// redirect says whether the listener sends the request to HTTPS.
func (e *entry) redirect(cfg *config.Config, a *asked) {
	vouch := vouching(cfg)
	for _, l := range cfg.Listeners {
		if l.TLS == nil {
			continue
		}
		t, _, err := listen.OpenTLS(l.TLS, listen.Supply{})
		if err != nil || !t.Chosen(a.name(), vouch).Names() {
			continue
		}
		to := a.name()
		if strings.Contains(to, ":") {
			to = "[" + to + "]"
		}
		if port := portOf(l); port != strconv.Itoa(443) {
			to += ":" + port
		}
		e.outcome = "308 to https://" + to + a.path + a.query + ": the listener redirects to HTTPS, before any route"
		return
	}
}

// vouching is gateway.Vouches for any host: what is got by ACME is got for the
// hosts of routes alone, unless on demand.
func vouching(cfg *config.Config) listen.Vouch {
	hosts := map[string]bool{}
	for _, r := range cfg.Routes {
		for _, host := range r.Hosts {
			hosts[host] = true
		}
	}
	return func(said *config.ListenerTLS, host string) (kind, why string) {
		if said.ACME == nil || hosts[host] || said.ACME.OnDemand.Ask != "" {
			return gateway.Vouches(said, host)
		}
		if _, domain, _ := strings.Cut(host, "."); hosts["*."+domain] {
			if kind, why := gateway.Vouches(said, "*."+domain); kind == cert.KindACME {
				return kind, why
			}
		}
		if said.Internal {
			return gateway.Vouches(&config.ListenerTLS{Internal: true}, host)
		}
		return "", ""
	}
}
