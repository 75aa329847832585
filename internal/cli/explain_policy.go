package cli

import (
	"cmp"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"rgate/internal/policy"
	"rgate/internal/proxy"
)

// judge says what becomes of the request where it comes from client.
func (e *explanation) judge(a asked, client string) error {
	from, err := netip.ParseAddr(client)
	if err != nil {
		return usageError{fmt.Errorf("%q is no address of a client: an IP address, such as 192.0.2.7 or 2001:db8::7", client)}
	}
	if e.route == nil {
		return nil
	}
	for _, p := range e.route.Policies.Decided() {
		d := p.Decide(policy.Request{
			Method: []byte(a.method), Host: []byte(cmp.Or(a.host, "{host}")), Path: []byte(e.Path), Query: []byte(a.query),
			Header: a.fields, Client: from, Start: time.Now(), Speaker: speaker{a, e.Path, from},
		})
		if d.Refusal != nil && d.Refusal.Meant {
			return nil // the outcome says so
		}
		if d.Refusal != nil {
			e.Outcome = fmt.Sprintf("%d (%s) for a client at %s: %s", d.Refusal.Status, d.Refusal.Reason, from, p)
			return nil
		}
	}
	return nil
}

// Get implements policy.Header.
func (f givenFields) Get(name string) []byte {
	if len(f[name]) == 0 {
		return nil
	}
	return []byte(f[name][0])
}

// Join implements policy.Header.
func (f givenFields) Join(dst []byte, name string) []byte {
	return append(dst, strings.Join(f[name], ", ")...)
}

// Count implements policy.Header.
func (f givenFields) Count(name string) int { return len(f[name]) }

// Cookie implements policy.Header.
func (f givenFields) Cookie(name string) []byte {
	for _, field := range f["Cookie"] {
		if value := proxy.Cookie([]byte(field), name); value != nil {
			return value
		}
	}
	return nil
}

// speaker has what variables stand for in the request that is asked about.
type speaker struct {
	asked
	normal string
	client netip.Addr
}

// AppendVariable implements policy.Speaker.
func (s speaker) AppendVariable(dst []byte, name string) []byte {
	switch name {
	case "client_ip":
		return s.client.AppendTo(dst)
	case "host":
		host, _, _ := strings.Cut(s.host, ":")
		return append(dst, host...)
	case "method":
		return append(dst, s.method...)
	case "path":
		return append(dst, s.normal...)
	}
	return append(dst, "{"+name+"}"...) // nobody knows before there is a request
}
