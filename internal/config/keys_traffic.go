package config

import (
	"math"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

// trafficKeys are the keys that a backend has, and the top level as the
// default for all. Each reads over the value it inherits.
func trafficKeys[T any](at func(*T) *Traffic) []key[T] {
	return []key[T]{
		value("retries", integer(0, 10), func(t *T) *int { return &at(t).Retries }),
		value("retry_timeouts", boolean, func(t *T) *bool { return &at(t).RetryTimeouts }),
		value("drain_timeout", duration(0, longest), func(t *T) *time.Duration { return &at(t).DrainTimeout }),
		{name: "balance", below: namesOf(balanceKeys), read: func(d *decoder, n *yaml.Node, into *T) { readBalance(d, n, &at(into).Balance) }},
		switchable(section("sticky", stickyKeys, func(t *T) *Sticky { return &at(t).Sticky }), func(t *T) { at(t).Sticky.Cookie = "" }),
		switchable(section("health", healthKeys, func(t *T) *Health { return &at(t).Health }), func(t *T) { at(t).Health.Path, at(t).Health.GRPC = "", Service{} }),
		{name: "eject", below: namesOf(ejectKeys), read: func(d *decoder, n *yaml.Node, into *T) { readEject(d, n, &at(into).Eject) }},
		value("slow_start", duration(0, longest), func(t *T) *time.Duration { return &at(t).SlowStart }),
		value("max_in_flight", integer(0, math.MaxInt32), func(t *T) *int { return &at(t).MaxInFlight }),
		section("queue", queueKeys, func(t *T) *Queue { return &at(t).Queue }),
	}
}

// switchable makes a section one that `false` turns off, also where it is
// inherited.
func switchable[T any](k key[T], off func(*T)) key[T] {
	read := k.read
	k.read = func(d *decoder, n *yaml.Node, into *T) {
		if isFalse(n) {
			off(into)
		} else {
			read(d, n, into)
		}
	}
	return k
}

func isFalse(n *yaml.Node) bool {
	n = follow(n)
	return n.Kind == yaml.ScalarNode && n.Tag == "!!bool" && strings.EqualFold(n.Value, "false")
}

var stickyKeys = []key[Sticky]{
	value("cookie", text(emptyOr(checkToken("a cookie's name"))), func(s *Sticky) *string { return &s.Cookie }),
	value("secret", text(checkSecret), func(s *Sticky) *string { return &s.Secret }),
}

var healthKeys = []key[Health]{
	{name: "path", read: readHealthPath},
	{name: "grpc", read: readHealthGRPC},
	value("interval", duration(10*time.Millisecond, longest), func(h *Health) *time.Duration { return &h.Interval }),
	value("timeout", duration(time.Millisecond, longest), func(h *Health) *time.Duration { return &h.Timeout }),
	value("expect", integer(200, 599), func(h *Health) *int { return &h.Expect }),
	value("healthy_after", integer(1, 1000), func(h *Health) *int { return &h.HealthyAfter }),
	value("unhealthy_after", integer(1, 1000), func(h *Health) *int { return &h.UnhealthyAfter }),
}

// readHealthPath and readHealthGRPC each turn off what is inherited of the other.
func readHealthPath(d *decoder, n *yaml.Node, into *Health) {
	if s, ok := d.scalar("path", n); ok {
		if path, ok := text(checkServedPath)(d, s); ok {
			if into.Path = path; path != "" {
				into.GRPC = Service{}
			}
		}
	}
}

func readHealthGRPC(d *decoder, n *yaml.Node, into *Health) {
	if isFalse(n) {
		into.GRPC = Service{}
		return
	}
	if s, ok := d.scalar("grpc", n); ok {
		if name, ok := text(checkService)(d, s); ok {
			into.Path, into.GRPC = "", Service{true, name}
		}
	}
}

func checkService(name string) (message, hint string) {
	for _, c := range []byte(name) {
		if !isUnreserved(c) || c == '~' || c == '-' {
			return shown(name) + " is not the name of a gRPC service", "such as `shop.Orders`, or `\"\"` for the endpoint as a whole"
		}
	}
	return "", ""
}

var ejectKeys = []key[Eject]{
	value("connect_failures", integer(0, 1000), func(e *Eject) *int { return &e.ConnectFailures }),
	value("timeouts", integer(0, 1000), func(e *Eject) *int { return &e.Timeouts }),
	value("server_errors", integer(0, 1000), func(e *Eject) *int { return &e.ServerErrors }),
	value("base", duration(time.Millisecond, longest), func(e *Eject) *time.Duration { return &e.Base }),
	value("max", duration(time.Millisecond, longest), func(e *Eject) *time.Duration { return &e.Max }),
}

func readEject(d *decoder, n *yaml.Node, into *Eject) {
	present := mapping(d, n, "`eject`", ejectKeys, into)
	if into.Base <= into.Max {
		return
	}
	wrong, ok := present["base"]
	if !ok {
		wrong = present["max"]
	}
	if wrong.value != nil {
		d.problem(follow(wrong.value), "raise `max`, or lower `base`", "`base` of `eject` is %s, longer than its `max` of %s", plainSpan(into.Base), plainSpan(into.Max))
	}
}

var queueKeys = []key[Queue]{
	value("size", integer(0, 1_000_000), func(q *Queue) *int { return &q.Size }),
	value("timeout", duration(time.Millisecond, longest), func(q *Queue) *time.Duration { return &q.Timeout }),
}

// balanceKeys are the keys of balance where it is a mapping.
var balanceKeys = []key[Balance]{
	{name: string(BalanceConsistentHash), below: namesOf(hashKeys), read: readHash},
}

// hashKeys are what consistent_hash can look at that has a name.
var hashKeys = []key[Balance]{
	value("header", hashName("a header's name"), func(b *Balance) *string { return &b.HashName }),
	value("cookie", hashName("a cookie's name"), func(b *Balance) *string { return &b.HashName }),
}

func hashName(what string) reader[string] { return text(checkToken(what)) }

// readBalance takes the policy as a word, or consistent_hash with what it is
// to look at.
func readBalance(d *decoder, n *yaml.Node, into *Balance) {
	n = follow(n)
	if n.Kind == yaml.MappingNode {
		var read Balance
		if present := mapping(d, n, "`balance`", balanceKeys, &read); len(present) == 0 && len(n.Content) == 0 {
			d.problem(n, "such as `balance: random`", "`balance` is empty")
		}
		*into = read
		return
	}
	s, ok := d.scalar("balance", n)
	if !ok {
		return
	}
	policy, ok := choice(BalanceRandom, BalanceLeastRequest, BalanceRoundRobin, BalanceConsistentHash)(d, s)
	if !ok {
		return
	}
	*into = Balance{Policy: policy}
	if policy == BalanceConsistentHash {
		into.HashBy = HashByClientIP
	}
}

// readHash reads client_ip or path as a word, header and cookie with a name.
func readHash(d *decoder, n *yaml.Node, into *Balance) {
	const hint = "one of client_ip, path, {header: X-User}, {cookie: session}"
	into.Policy = BalanceConsistentHash
	n = follow(n)
	if n.Kind != yaml.MappingNode {
		s, ok := d.scalar("consistent_hash", n)
		if !ok {
			return
		}
		by := HashBy(s.text)
		switch {
		case by == HashByHeader || by == HashByCookie:
			d.problem(n, "write `{"+s.text+": its name}`", "`consistent_hash` needs the name of the %s", by)
		case !slices.Contains([]HashBy{HashByClientIP, HashByPath}, by):
			d.problem(n, hint, "`consistent_hash` cannot look at %s", shown(s.text))
		}
		into.HashBy = by
		return
	}
	present := mapping(d, n, "`consistent_hash`", hashKeys, into)
	if len(present) > 1 || len(n.Content) == 0 {
		d.problem(n, hint, "`consistent_hash` looks at one thing")
		return
	}
	for name := range present {
		into.HashBy = HashBy(name)
	}
}
