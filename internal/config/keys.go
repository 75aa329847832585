package config

import (
	"math"
	"net/netip"
	"time"

	"go.yaml.in/yaml/v4"
)

// longest bounds every time span: anything longer is a slip.
const longest = 24 * time.Hour

var statsKeys = []key[Stats]{
	value("path", text(checkPage), func(s *Stats) *string { return &s.Path }),
	value("details", boolean, func(s *Stats) *bool { return &s.Details }),
}

var upgradeKeys = []key[Upgrade]{
	value("drain_timeout", duration(0, longest), func(u *Upgrade) *time.Duration { return &u.DrainTimeout }),
}

var adminKeys = []key[Admin]{
	value("socket", text(checkSocket), func(a *Admin) *string { return &a.Socket }),
}

var dockerKeys = []key[Docker]{
	value("host", text(checkDockerHost), func(k *Docker) *string { return &k.Host }),
	section("tls", tlsKeys, func(k *Docker) *TLS { return &k.TLS }),
}

var tlsKeys = []key[TLS]{
	value("ca", text(), func(t *TLS) *string { return &t.CA }),
	value("cert", text(), func(t *TLS) *string { return &t.Cert }),
	value("key", text(), func(t *TLS) *string { return &t.Key }),
}

var timeoutKeys = []key[Timeouts]{
	value("connect", duration(time.Millisecond, longest), func(t *Timeouts) *time.Duration { return &t.Connect }),
	value("response_header", duration(time.Millisecond, longest), func(t *Timeouts) *time.Duration { return &t.ResponseHeader }),
	value("idle", duration(time.Millisecond, longest), func(t *Timeouts) *time.Duration { return &t.Idle }),
	value("grpc", duration(0, longest), func(t *Timeouts) *time.Duration { return &t.GRPC }),
	value("client_header", duration(time.Millisecond, longest), func(t *Timeouts) *time.Duration { return &t.ClientHeader }),
}

var limitKeys = []key[Limits]{
	value("header_bytes", size(1<<10, 1<<20), func(l *Limits) *int { return &l.HeaderBytes }),
	value("header_count", integer(10, 10_000), func(l *Limits) *int { return &l.HeaderCount }),
	value("response_header_bytes", size(1<<10, 16<<20), func(l *Limits) *int { return &l.ResponseHeaderBytes }),
	value("response_header_count", integer(10, 100_000), func(l *Limits) *int { return &l.ResponseHeaderCount }),
	value("connections", integer(0, math.MaxInt32), func(l *Limits) *int { return &l.Connections }),
	value("connections_per_client", integer(0, math.MaxInt32), func(l *Limits) *int { return &l.ConnectionsPerClient }),
	value("handshakes", integer(0, math.MaxInt32), func(l *Limits) *int { return &l.Handshakes }),
	value("requests_per_connection", integer(0, math.MaxInt32), func(l *Limits) *int { return &l.RequestsPerConnection }),
	value("streams", integer(1, 10_000), func(l *Limits) *int { return &l.Streams }),
	section("body_progress", progressKeys, func(l *Limits) *BodyProgress { return &l.BodyProgress }),
}

var progressKeys = []key[BodyProgress]{
	value("bytes", size(0, 1<<30), func(p *BodyProgress) *int { return &p.Bytes }),
	value("within", duration(10*time.Millisecond, longest), func(p *BodyProgress) *time.Duration { return &p.Within }),
}

// readStateDir reads the path of a directory; "" is the default.
func readStateDir(d *decoder, n *yaml.Node, into *draft) {
	value("state_dir", text(), func(c *draft) *string { return &c.StateDir }).read(d, n, into)
	if into.StateDir != "" {
		into.StateDir = d.path(into.StateDir)
	}
}

// dockerKey reads docker and holds its keys against each other.
var dockerKey = key[draft]{name: "docker", below: namesOf(dockerKeys), read: func(d *decoder, n *yaml.Node, into *draft) {
	present := mapping(d, n, "`docker`", dockerKeys, &into.Docker)
	tls, ok := present["tls"]
	if !ok {
		return
	}
	given := into.Docker.TLS
	switch at := follow(tls.value); {
	case (given.Cert == "") != (given.Key == ""):
		d.problem(at, "name both, or neither", "`cert` and `key` of `tls` belong together")
	case given != TLS{} && into.Docker.Host != "" && !isTCP(into.Docker.Host):
		d.problem(at, "remove `tls`, or use a tcp:// host", "`tls` is for an engine on tcp://")
	}
}}

func trustedProxies(c *draft) *[]netip.Prefix { return &c.TrustedProxies }
