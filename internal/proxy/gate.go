package proxy

import (
	"bytes"
	"context"
	"crypto/rand"
	"log/slog"
	mathrand "math/rand/v2"
	"net/netip"
	"sync/atomic"
	"time"

	"rgate/internal/config"
	"rgate/internal/route"
	"rgate/internal/upstream"
)

// Gate is the door every request comes through. Its table is swapped whole.
type Gate struct {
	table atomic.Pointer[compiled]
	log   *slog.Logger
	quiet limiter
	pages pages
	hands Handshakes
	prove func(token []byte) []byte // nil for nothing to prove

	// pseudonym is what this process calls itself in Via. Nobody else does, so a
	// request that names it has been here.
	pseudonym []byte
}

// compiled is a table with what answers are made of it beforehand.
type compiled struct {
	*route.Table
	unmatched *Answer // to what no route takes
}

// NewGate makes a gate with its first table.
func NewGate(t *route.Table, log *slog.Logger) *Gate {
	g := &Gate{log: log, quiet: limiter{began: time.Now()}, pseudonym: []byte("rgate-" + rand.Text()[:16])}
	g.Swap(t)
	return g
}

// Table is the table of the moment.
func (g *Gate) Table() *route.Table { return g.table.Load().Table }

// Handshakes are the TLS handshakes that are under way, for all engines of g.
func (g *Gate) Handshakes() *Handshakes { return &g.hands }

// Swap puts t in place for all requests that begin from now on.
func (g *Gate) Swap(t *route.Table) {
	r := &t.Config.DefaultResponse
	g.table.Store(&compiled{t, &Answer{
		Status: r.StatusCode, Reason: ReasonNoRoute, ContentType: r.ContentType, Body: []byte(r.Body),
	}})
}

// answer is for what no route takes, though some would by other methods.
func (t *compiled) answer(others route.Methods) *Answer {
	if others == 0 {
		return t.unmatched
	}
	return methodNotAllowed(t.MethodNames(others))
}

// Verdict is what is to be done with a request.
type Verdict uint8

// The verdicts.
const (
	Reply    Verdict = iota // send Exchange.Answer
	Forward                 // call Next for an endpoint
	Wait                    // suspend for Exchange.Job, which says how to go on
	HandOver                // give the connection to an engine that is not Plain; nothing was begun
)

// Begin decides on a request whose head is read.
func (g *Gate) Begin(x *Exchange) Verdict {
	t := g.table.Load()
	x.gate, x.Table = g, t.Table
	x.identify(t.Config.TrustedProxies)
	if x.RequestID = x.Header.Get("X-Request-Id"); !validRequestID(x.RequestID) {
		x.RequestID = appendRequestID(x.idSpace[:0], x.Start)
	}
	if g.prove != nil && x.Secured == nil && x.proven(g.prove) {
		return Reply
	}
	if x.RPC = x.called(); x.RPC != NoRPC {
		if x.Plain {
			return HandOver // its time, its status and what it says in base64 are for who may wait
		}
		if !x.bound() {
			x.Table.Unmatched.Begin()
			return x.reply(answerTimeSaid)
		}
	}
	if x.Secured != nil && x.misdirected() || x.Redirect != nil && x.redirected() {
		return Reply
	}
	if v, done := x.locate(); done {
		return v
	}
	var others route.Methods
	if x.Route, others = x.match(t.Table); x.Route == nil {
		t.Unmatched.Begin()
		return x.reply(t.answer(others))
	}
	if x.Plain && x.Route.Beyond {
		return HandOver
	}
	x.Web = x.RPC >= GRPCWeb && x.Route.GRPCWeb
	x.target = x.Route.Target(mathrand.Int64N)
	x.target.Stats.Begin()
	if x.Header.Via(g.pseudonym) {
		return x.reply(answerLoop)
	}
	if x.Route.Policies != nil {
		return x.consider()
	}
	return x.enter(x.target.Backend)
}

// enter lets x in to b, or has it wait for a place there.
func (x *Exchange) enter(b *route.Backend) Verdict {
	x.backend = b
	b.Budget.Request(x.Start)
	x.choose(b)
	switch {
	case b.Gate.Enter():
		x.admitted = true
		return Forward
	case b.Gate.Queue(&x.ticket):
		x.Job = place{x}
		return Wait
	}
	return x.reply(answerOverload)
}

// locate finds the path and what needs no route. done is false where a route
// is to be found.
func (x *Exchange) locate() (v Verdict, done bool) {
	path := x.Target
	if at := bytes.IndexByte(path, '?'); at >= 0 {
		path, x.Query = path[:at], path[at:]
	}
	if string(x.Method) == "CONNECT" {
		x.Table.Unmatched.Begin()
		return x.reply(answerConnectVia), true
	}
	if string(path) == "*" && string(x.Method) == "OPTIONS" {
		x.Path, x.Forward = path, path
		return 0, false
	}
	normal, err := Normalize(x.pathSpace[:0], path)
	if err != nil {
		x.Table.Unmatched.Begin()
		return x.reply(BadRequest(err.Error())), true
	}
	x.Path, x.Forward = normal, normal
	if page := x.Table.Config.Stats.Path; page != "" && string(normal) == page && x.gate.pages.make != nil {
		return x.gate.pages.inform(x), true
	}
	return 0, false
}

// match is the route of t that takes x, or nil and the methods by which some
// would.
func (x *Exchange) match(t *route.Table) (*route.Route, route.Methods) {
	if t.Plain() {
		return t.Match(&route.Request{Path: x.Path})
	}
	return t.Match(&route.Request{Host: x.Host, Method: x.Method, Path: x.Path, Query: x.Query, Fields: x.Header})
}

// Refuse begins and answers an exchange whose request could not be read or is
// refused by the engine. Whatever x holds of the request may be missing.
func (g *Gate) Refuse(x *Exchange, a *Answer) {
	x.gate, x.Table = g, g.Table()
	x.identify(x.Table.Config.TrustedProxies)
	x.Table.Unmatched.Begin()
	if x.RequestID == nil {
		x.RequestID = appendRequestID(x.idSpace[:0], x.Start)
	}
	x.reply(a)
}

// reply settles x with an answer of rgate's own.
func (x *Exchange) reply(a *Answer) Verdict {
	x.Status = a.Status
	switch {
	case x.RPC != NoRPC && (a.Status >= 400 || a.Reason == ReasonNoRoute):
		a = x.asStatus(a)
	case x.Header != nil:
		a = rendered(a, x.Header.Get("Accept"))
	}
	x.Answer = a
	return Reply
}

// choose finds what picking goes by: a sticky cookie's endpoint, and the key
// of consistent hashing.
func (x *Exchange) choose(b *route.Backend) {
	if b.Sticky != nil {
		x.preferred = b.Sticky.Find(x.Header.Cookie(b.Sticky.Cookie))
	}
	if b.Balance == upstream.ConsistentHash {
		x.chooseKey(b)
	}
}

func (x *Exchange) chooseKey(b *route.Backend) {
	if key := x.hashed(&b.Config.Traffic.Balance); len(key) > 0 {
		x.key = upstream.Hash(key)
	} else {
		x.key = mathrand.Uint64() // or all that lack it would meet on one endpoint
	}
}

// hashed is the part of the request that consistent hashing goes by.
func (x *Exchange) hashed(how *config.Balance) []byte {
	switch how.HashBy {
	case config.HashByHeader:
		return x.Header.Get(how.HashName)
	case config.HashByCookie:
		return x.Header.Cookie(how.HashName)
	case config.HashByPath:
		return x.Path
	}
	return x.Client.AppendTo(x.keySpace[:0])
}

// Cookie is the value of one cookie in a Cookie field (RFC 6265 §4.2.1).
func Cookie(field []byte, name string) []byte {
	for len(field) > 0 {
		var pair []byte
		pair, field, _ = bytes.Cut(field, []byte{';'})
		key, value, ok := bytes.Cut(bytes.TrimSpace(pair), []byte{'='})
		if ok && string(key) == name {
			return value
		}
	}
	return nil
}

// logAttempt tells who debugs of an attempt that failed.
func (g *Gate) logAttempt(x *Exchange, o upstream.Outcome) {
	if !g.log.Enabled(context.Background(), slog.LevelDebug) || x.endpoint == nil {
		return
	}
	attrs := []slog.Attr{
		slog.String("request_id", string(x.RequestID)), slog.String("endpoint", x.endpoint.Name),
		slog.String("address", x.endpoint.Address), slog.String("outcome", o.String()),
	}
	if x.Fault != nil {
		attrs = append(attrs, slog.String("error", x.Fault.Error()))
	}
	g.log.LogAttrs(context.Background(), slog.LevelDebug, "an attempt failed", attrs...)
}

// Unannounced tells the operator of a connection that was closed, since it did not
// begin with a PROXY protocol header as those of its peer do.
func (g *Gate) Unannounced(peer netip.Addr, listener string, err error, now time.Time) {
	if !g.log.Enabled(context.Background(), slog.LevelWarn) || !g.quiet.allow(now) {
		return
	}
	g.log.LogAttrs(context.Background(), slog.LevelWarn, "a connection was closed that has to begin with a PROXY protocol header",
		slog.String("peer", peer.String()), slog.String("listener", listener), slog.String("error", err.Error()))
}

// logFault tells the operator of what should not have happened to a request.
func (g *Gate) logFault(x *Exchange, level slog.Level, text, reason string) {
	if !g.log.Enabled(context.Background(), level) || !g.quiet.allow(x.Start) {
		return
	}
	attrs := []slog.Attr{
		slog.Int("status", x.Status), slog.String("reason", reason),
		slog.String("method", string(x.Method)), slog.String("path", string(x.Path)),
		slog.String("request_id", string(x.RequestID)), slog.String("client", x.Client.String()),
		slog.Int("attempts", x.attempts),
	}
	if x.Consumer != nil {
		attrs = append(attrs, slog.String("consumer", x.Consumer.Name))
	}
	if x.Peer != x.Client {
		attrs = append(attrs, slog.String("peer", x.Peer.String()))
	}
	if x.target != nil && x.target.Backend != nil {
		attrs = append(attrs, slog.String("backend", x.target.Backend.Name))
	}
	if x.endpoint != nil {
		attrs = append(attrs, slog.String("endpoint", x.endpoint.Name), slog.String("address", x.endpoint.Address))
	}
	if x.Fault != nil {
		attrs = append(attrs, slog.String("error", x.Fault.Error()))
	}
	if held := g.quiet.suppressed.Swap(0); held > 0 {
		attrs = append(attrs, slog.Int64("suppressed", held))
	}
	g.log.LogAttrs(context.Background(), level, text, attrs...)
}
