package acme

import (
	"container/heap"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/caddyserver/certmagic"
	"github.com/mholt/acmez/v3"

	"rgate/internal/config"
)

// Options are what a manager is made of.
type Options struct {
	ACME       *config.ACME
	State      string // directory for what a process keeps, where ACME names no storage
	Challenges *Challenges
	Log        *slog.Logger
}

// Manager has the certificates that one configuration gets. It implements
// cert.Issuer.
type Manager struct {
	said        *config.ACME
	log         *slog.Logger
	storage     *certmagic.FileStorage
	magic       *certmagic.Config
	authorities []*authority
	way         tripper
	challenges  *Challenges

	served  atomic.Pointer[map[string]*subject] // by name; never changes
	publish sync.Mutex                          // held by who puts another in its place
	demand  *demand                             // nil for none

	changed chan struct{}  // gets a token where served has changed
	orders  chan order     // to renew at once
	done    chan result    // of jobs
	ended   chan struct{}  // closed when Run has ended
	working sync.WaitGroup // jobs
	queue   queue          // Run's alone, as what follows
	busy    [2]int         // jobs under way, those of names that fail apart
	waiting map[*subject][]order
	active  map[*subject]context.CancelFunc // whose jobs are under way
}

// The jobs that may be under way at once, and those of names that failed before,
// which must not take the place of others.
const (
	maxBusy    = 16
	maxFailing = 8
)

// New makes a manager that does nothing yet. The error is for what can never
// work, such as a root that cannot be read.
func New(o Options) (*Manager, error) {
	m := &Manager{
		said: o.ACME, log: o.Log, challenges: o.Challenges, changed: make(chan struct{}, 1), orders: make(chan order), done: make(chan result),
		ended: make(chan struct{}), waiting: map[*subject][]order{}, active: map[*subject]context.CancelFunc{},
	}
	m.served.Store(&map[string]*subject{})
	roots, err := readRoots(o.ACME.CA)
	if err != nil {
		return nil, err
	}
	at := o.ACME.Storage
	if at == "" {
		at = config.DefaultStorage(o.State)
	}
	m.storage = &certmagic.FileStorage{Path: at}
	m.way = newTripper(roots)
	solvers, err := newSolvers(o)
	if err != nil {
		return nil, err
	}
	// Configurations want a cache of certificates. This one stays empty, so that
	// nothing runs for it: what is served is in m.
	cache := &certmagic.Cache{}
	cache.SetOptions(certmagic.CacheOptions{GetConfigForCert: func(certmagic.Certificate) (*certmagic.Config, error) { return m.magic, nil }})
	var issuers []certmagic.Issuer
	for _, directory := range o.ACME.Directory {
		a := &authority{directory: directory, said: o.ACME, storage: m.storage, way: m.way, solvers: solvers, log: slog.New(quiet{o.Log.Handler()})}
		m.authorities, issuers = append(m.authorities, a), append(issuers, a)
	}
	m.magic = certmagic.New(cache, certmagic.Config{Storage: m.storage, Issuers: issuers, Logger: zapLogger(o.Log), DisableARI: true})
	if o.ACME.OnDemand.Ask != "" {
		m.demand = newDemand(o.ACME.OnDemand, o.Log)
	}
	return m, nil
}

func readRoots(path string) (*x509.CertPool, error) {
	if path == "" {
		return nil, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read the root of the authority: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s holds no certificate in PEM", path)
	}
	return pool, nil
}

// newSolvers are the ways to answer the challenges that may be used.
func newSolvers(o Options) (map[string]acmez.Solver, error) {
	solvers := map[string]acmez.Solver{}
	for _, name := range o.ACME.Challenges {
		switch name {
		case config.ChallengeHTTP:
			solvers[name] = tokenSolver{o.Challenges}
		case config.ChallengeTLSALPN:
			solvers[name] = certSolver{o.Challenges}
		case config.ChallengeDNS:
			s, err := newDNS(&o.ACME.DNS, o.Log)
			if err != nil {
				return nil, err
			}
			solvers[name] = s
		}
	}
	return solvers, nil
}

// Said is what m was made for.
func (m *Manager) Said() *config.ACME { return m.said }

// Want says which names m is to have certificates for, besides those on demand.
// Those that it has not are waited for from now on; they are covered at once.
func (m *Manager) Want(names []string) {
	m.publish.Lock()
	defer m.publish.Unlock()
	before := *m.served.Load()
	next := make(map[string]*subject, len(names))
	for _, name := range names {
		if s := before[name]; s != nil {
			next[name] = s
		} else {
			next[name] = newSubject(name)
		}
	}
	for name, s := range before {
		if s.demanded && next[name] == nil {
			next[name] = s
		}
	}
	m.served.Store(&next)
	m.poke()
}

// Load serves what the storage has of the names that are wanted, so that a
// process that takes over from another has certificates from its first
// handshake. It is for before Run, and waits that long at most: Run does the rest.
func (m *Manager) Load(patience time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	loaded := make(chan struct{})
	served := *m.served.Load()
	go func() { // a file system whose server is away may keep it
		defer close(loaded)
		for name, s := range served {
			if ctx.Err() != nil {
				return
			}
			if c, err := m.load(ctx, name); err == nil && c != nil {
				s.cert.Store(c.Certificate)
			}
		}
	}()
	select {
	case <-loaded:
	case <-ctx.Done():
	}
}

func (m *Manager) poke() {
	select {
	case m.changed <- struct{}{}:
	default:
	}
}

// Run gets what is wanted, until ctx ends, and what it began with it.
func (m *Manager) Run(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer close(m.ended)
	defer m.way.CloseIdleConnections()
	defer m.working.Wait()
	defer cancel()
	if err := m.prepare(); err != nil {
		m.log.Error("certificates cannot be kept, so none is got; let rgate write there, or name another directory as `storage`", "storage", m.storage.Path, "error", err)
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		timer.Reset(m.launch(ctx))
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-m.changed:
			m.adopt()
		case o := <-m.orders:
			m.take(o)
		case name := <-m.demand.wanted():
			m.consider(ctx, name)
		case v := <-m.demand.verdicts():
			m.grant(v)
		case r := <-m.done:
			m.settle(r)
		}
	}
}

// prepare makes the storage, which is for rgate alone.
func (m *Manager) prepare() error {
	err := os.MkdirAll(m.storage.Path, 0o700)
	if err == nil {
		err = os.Chmod(m.storage.Path, 0o700)
	}
	return err
}

// idle is how long Run waits where there is nothing to wait for.
const idle = time.Hour

// launch begins what is due, and is how long it is until the next is.
func (m *Manager) launch(ctx context.Context) time.Duration {
	now := time.Now()
	var held []*subject // for which there is no place now: the end of a job is the next occasion
	for len(m.queue) > 0 && !m.queue[0].next.After(now) {
		s := heap.Pop(&m.queue).(*subject)
		if !m.room(s) {
			held = append(held, s)
			continue
		}
		m.begin(ctx, s)
	}
	next := idle
	if len(m.queue) > 0 {
		next = m.queue[0].next.Sub(now)
	}
	for _, s := range held {
		heap.Push(&m.queue, s)
	}
	return min(next, idle)
}

// room tells whether a job for s may begin now.
func (m *Manager) room(s *subject) bool {
	if s.failures > 0 && m.busy[1] >= maxFailing {
		return false
	}
	return m.busy[0]+m.busy[1] < maxBusy
}

// begin hands out the job for s, which is out of the queue while it is under way.
func (m *Manager) begin(run context.Context, s *subject) {
	s.failing = min(s.failures, 1)
	m.busy[s.failing]++
	ctx, cancel := context.WithCancel(run)
	m.active[s] = cancel
	j := job{Manager: m, name: s.name, first: !s.looked, demanded: s.demanded, force: s.force, have: s.have, info: s.info, asked: s.asked}
	s.force = false
	m.working.Go(func() {
		r := j.do(ctx)
		r.subject = s
		select {
		case m.done <- r:
		case <-run.Done():
		}
	})
}

// adopt takes up what is new in served, and lets go of what has left.
func (m *Manager) adopt() {
	served := *m.served.Load()
	for _, s := range served {
		if !s.known {
			s.known, s.next = true, time.Now()
			heap.Push(&m.queue, s)
		}
	}
	for _, s := range slices.Clone(m.queue) {
		if served[s.name] != s {
			heap.Remove(&m.queue, s.at)
			m.answer(s, errGone)
		}
	}
	for s, cancel := range m.active {
		if served[s.name] != s {
			cancel()
		}
	}
}

var errGone = errors.New("it is no name of a route any more")
