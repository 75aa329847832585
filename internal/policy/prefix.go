package policy

import (
	"bytes"

	"rgate/internal/config"
)

// Prefix changes where a path begins on its way to an endpoint.
type Prefix struct {
	strip, add string
}

func newPrefix(c *config.Prefix) *Prefix { return &Prefix{c.Strip, c.Add} }

// appendPrefix appends p. What is added comes in one piece, since it is written
// where a piece before it would stand.
func appendPrefix(all []*Prefix, p *Prefix) []*Prefix {
	if last := len(all) - 1; last >= 0 && all[last].add != "" && p.add != "" {
		return append(all[:last:last], &Prefix{add: p.add + all[last].add})
	}
	return append(all, p)
}

var root = []byte("/")

// Rewrite is the path that the endpoint gets, in dst where it is not path, the end
// of it or the root. A prefix is taken off where whole segments of the path are it;
// moved is false where they are not.
func (p *Prefix) Rewrite(dst, path []byte) (rewritten []byte, moved bool) {
	if p.strip != "" {
		rest, ok := cutSegments(path, p.strip)
		if ok && len(rest) == 0 {
			return root, true
		}
		return rest, ok
	}
	return append(append(dst, p.add...), path...), true
}

// Restore is what a client has to ask for to get at the endpoint's path: what
// Rewrite would make that of.
func (p *Prefix) Restore(dst, path []byte) []byte {
	if p.strip != "" {
		return append(append(dst, p.strip...), path...)
	}
	rest, ok := cutSegments(path, p.add)
	if ok && len(rest) == 0 {
		return append(dst, '/')
	}
	return append(dst, rest...)
}

// Stripped is what was taken off, for X-Forwarded-Prefix.
func (p *Prefix) Stripped() string { return p.strip }

// cutSegments is path without prefix, where that is followed by a slash or
// nothing.
func cutSegments(path []byte, prefix string) (rest []byte, ok bool) {
	rest, ok = bytes.CutPrefix(path, []byte(prefix))
	if !ok || len(rest) > 0 && rest[0] != '/' {
		return path, false
	}
	return rest, true
}

// String implements Policy.
func (p *Prefix) String() string {
	if p.strip != "" {
		return "strip_prefix: " + p.strip
	}
	return "add_prefix: " + p.add
}
