package listen

import (
	"fmt"
	"slices"
	"strings"

	"rgate/internal/config"
)

// Vouch tells of which kind (cert.KindInternal, …) a certificate is that what said
// asks for beside files will have for a host of a route, which may be a wildcard;
// "" for none, and then why, "" where it asks for none.
type Vouch func(said *config.ListenerTLS, host string) (kind, why string)

// maxUncovered bounds the hosts that are named: a file may have ten thousand.
const maxUncovered = 20

// Uncovered warns of the hosts of routes for which no listener has a certificate,
// and of listeners that redirect to HTTPS where it follows that they never do.
// secured are the TLS of cfg's listeners, in their order.
func Uncovered(cfg *config.Config, secured []*TLS, vouch Vouch) (warnings []config.Problem) {
	c := coverage{vouch: vouch}
	for i, t := range secured {
		if t == nil {
			continue
		}
		if t.certs.Default() {
			return nil // it is asked for that who has none gets another's
		}
		c.secured = append(c.secured, t)
		c.where = append(c.where, fmt.Sprintf("`%s` on line %d", cfg.Listeners[i].Name, cfg.Listeners[i].Place.Line))
	}
	if c.secured == nil {
		return nil
	}
	uncovered, seen := 0, map[string]bool{}
	anyHost := false
	for _, r := range cfg.Routes {
		anyHost = anyHost || len(r.Hosts) == 0
		for i, host := range r.Hosts {
			if seen[host] {
				continue
			}
			seen[host] = true
			why, covered := c.of(host)
			if !covered {
				uncovered++
			}
			if !covered && uncovered <= maxUncovered {
				warnings = append(warnings, c.warning(cfg.File, host, why, r.HostSpots, i))
			}
		}
	}
	never := uncovered == len(seen) && !anyHost
	if more := uncovered - maxUncovered; more > 0 {
		warnings[maxUncovered-1].Message += fmt.Sprintf("; nor for %d more", more)
	}
	if never {
		warnings = append(warnings, idle(cfg)...)
	}
	return warnings
}

// coverage is who has which certificates.
type coverage struct {
	secured []*TLS
	where   []string // each of them, as messages name it
	vouch   Vouch
}

// of tells whether anybody has a certificate for a host, else why those who make
// some do not.
func (c *coverage) of(host string) (why string, ok bool) {
	var reasons []string
	for _, t := range c.secured {
		if t.certs.HasFile(bare(host)) {
			return "", true
		}
		kind, why := c.vouch(t.said, host)
		if kind != "" {
			return "", true
		}
		if why != "" && !slices.Contains(reasons, why) {
			reasons = append(reasons, why)
		}
	}
	return strings.Join(reasons, "; "), false
}

func (c *coverage) warning(file, host, why string, spots []config.Spot, i int) config.Problem {
	p := config.Problem{File: file, Line: 1, Column: 1, Span: len(host), Warning: true}
	if i < len(spots) {
		p.Line, p.Column = int(spots[i].Line), int(spots[i].Column)
	}
	where := "the listener " + c.where[0]
	if len(c.where) > 1 {
		where = "any listener with `tls` (" + strings.Join(c.where, ", ") + ")"
	}
	p.Message = fmt.Sprintf("%s has no certificate for `%s`: who asks for it by HTTPS is refused", where, host)
	p.Hint = "add one that names it under `certificates`"
	if why != "" {
		p.Hint += "; " + why
	}
	return p
}

// idle are the listeners that would redirect if there were anywhere to.
func idle(cfg *config.Config) (warnings []config.Problem) {
	for _, l := range cfg.Listeners {
		if l.Redirect == "" || l.Implied {
			continue
		}
		p := l.Place
		p.Warning = true
		p.Message = "`redirect: https` redirects nobody here: no certificate is for a host of the routes"
		p.Hint = "it sends those to HTTPS who ask for a host with a certificate"
		warnings = append(warnings, p)
	}
	return warnings
}
