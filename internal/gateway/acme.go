package gateway

import (
	"context"
	"errors"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"rgate/internal/acme"
	"rgate/internal/cert"
	"rgate/internal/config"
	"rgate/internal/listen"
)

// loadPatience is how long certificates that were got before may take to be read.
const loadPatience = 2 * time.Second

// manager is one of acme's, and how it ends once it runs.
type manager struct {
	*acme.Manager
	stop context.CancelFunc // nil while it does not run
}

// managers are those of all configurations that certificates are got by: those of
// the listeners in place, and of such as wait to be. Whoever opens a listener adds
// to them, which may come about after that was given up.
type managers struct {
	mu   sync.Mutex
	list []*manager
}

// of is the manager for a configuration; nil for none.
func (all *managers) of(said *config.ACME) *manager {
	list := all.every()
	if at := slices.IndexFunc(list, func(m *manager) bool { return m.Said().Same(said) }); at >= 0 {
		return list[at]
	}
	return nil
}

// every is a copy of the list.
func (all *managers) every() []*manager {
	all.mu.Lock()
	defer all.mu.Unlock()
	return slices.Clone(all.list)
}

func (all *managers) add(m *manager) {
	all.mu.Lock()
	defer all.mu.Unlock()
	all.list = append(all.list, m)
}

// drop takes those out that are done, and ends them.
func (all *managers) drop(done func(*manager) bool) {
	all.mu.Lock()
	defer all.mu.Unlock()
	all.list = slices.DeleteFunc(all.list, func(m *manager) bool {
		if !done(m) {
			return false
		}
		if m.stop != nil {
			m.stop()
		}
		return true
	})
}

// managed is the manager that gets certificates as said says. It is asked for by
// New, and then by the owner.
func (g *Gateway) managed(said *config.ACME) (cert.Issuer, error) {
	if m := g.managers.of(said); m != nil {
		return m.Manager, nil
	}
	state := cert.StateDir(g.options.Config.StateDir, os.Geteuid(), g.env)
	made, err := acme.New(acme.Options{ACME: said, State: state, Challenges: g.challenges, Log: g.log})
	if err != nil {
		at := said.Place
		at.Message = err.Error()
		return nil, &config.Problems{List: []config.Problem{at}}
	}
	g.managers.add(&manager{Manager: made})
	return made, nil
}

// recall has the managers that are new serve what they got before, for cfg.
func (g *Gateway) recall(cfg *config.Config, listeners []*listen.TLS) {
	wanted, _ := wanted(cfg, listeners)
	for said, names := range wanted {
		if m := g.managers.of(said); m != nil && m.stop == nil {
			m.Want(names)
			m.Load(loadPatience)
		}
	}
}

// wanted are the names that certificates are to be got for, by whose: the hosts
// of routes, less those that files of a listener have. without says for which
// hosts none can be got, and why.
func wanted(cfg *config.Config, listeners []*listen.TLS) (all map[*config.ACME][]string, without map[string]string) {
	all, without = map[*config.ACME][]string{}, map[string]string{}
	for _, t := range listeners {
		if t == nil || t.ACME() == nil {
			continue
		}
		said := t.ACME()
		for known := range all {
			if known.Same(said) {
				said = known
			}
		}
		var hosts []string
		for _, r := range cfg.Routes {
			for _, host := range r.Hosts {
				if !t.HasFile(strings.Trim(host, "[]")) {
					hosts = append(hosts, host)
				}
			}
		}
		names, left := acme.Names(hosts, said)
		all[said] = append(all[said], names...)
		for host, why := range left {
			if !t.Covers(host) { // rgate's own authority has private ones
				without[host] = why
			}
		}
	}
	return all, without
}

// manage has certificates got for what is in place now, and for nothing else.
func (o *owner) manage() {
	names, without := wanted(o.cfg, o.listeners.TLS())
	if !maps.Equal(without, o.without) {
		for host, why := range without {
			o.log.Warn("no certificate can be got for a host of a route", "host", host, "reason", why)
		}
		o.without = without
	}
	o.managers.drop(func(m *manager) bool {
		for said := range names {
			if m.Said().Same(said) {
				return false
			}
		}
		return true
	})
	for said, names := range names {
		m := o.managers.of(said)
		m.Want(names)
		if m.stop == nil {
			ctx, stop := context.WithCancel(o.life)
			m.stop = stop
			o.owned.Go(func() { m.Run(ctx) })
		}
	}
}

// Certificates is how it stands with each certificate that is served, or tried to
// be had.
func (g *Gateway) Certificates() (list []cert.Status) {
	var all listen.Set
	g.do(func(o *owner) { all = slices.Clone(o.listeners) })
	seen := map[string]bool{}
	for _, t := range all.TLS() {
		if t == nil {
			continue
		}
		for _, s := range t.Certificates() {
			if key := s.Kind + s.File + strings.Join(s.Names, " "); !seen[key] { // several listeners may serve one
				seen[key] = true
				list = append(list, s)
			}
		}
	}
	return list
}

// Renew has the certificate for a name replaced now, by whoever gets it.
func (g *Gateway) Renew(ctx context.Context, name string) error {
	var all []*manager
	g.do(func(o *owner) {
		for _, m := range o.managers.every() {
			if m.stop != nil {
				all = append(all, m)
			}
		}
	})
	err := errors.New("no certificate by ACME has that name: `rgate certs` lists them")
	for _, m := range all {
		if got := m.Renew(ctx, name); !errors.Is(got, acme.ErrUnknown) {
			return got
		}
	}
	return err
}
