package policy

import (
	"slices"

	"rgate/internal/config"
)

// phase is when a policy has its turn: the order is always this one, whatever
// that of the file.
type phase uint8

const (
	phaseIdentity phase = iota
	phaseAddress
	phaseWho
	phaseStrip // all that is taken off, then what is put in front
	phaseAdd
	phaseFields
	phaseAnswer
)

// Chain is what the policies of a route come to, compiled once per table.
type Chain struct {
	Deciders []Decider // asked in turn
	Paths    []*Prefix // change the path that the endpoint gets, in turn; the last alone may add
	Request  *Edits    // of the fields that it gets; nil for none
	Response *Edits    // of the fields of answers; nil for none

	all []Policy
}

// compiled is a policy and its place.
type compiled struct {
	Policy
	phase phase
}

// Compile makes the chain of a route's policies; nil for none. Where there are
// consumers, no client may say that it is one.
func Compile(all []*config.Policy, consumers *Consumers) *Chain {
	var list []compiled
	if consumers.any {
		list = append(list, compiled{identity{}, phaseIdentity})
	}
	for _, c := range all {
		if p, ok := compile(c, consumers); ok {
			list = append(list, p)
		}
	}
	if list == nil {
		return nil
	}
	slices.SortStableFunc(list, func(a, b compiled) int { return int(a.phase) - int(b.phase) })
	chain := &Chain{}
	for _, p := range list {
		chain.Append(p.Policy)
	}
	return chain
}

// compile makes one policy; false where it demands and changes nothing.
func compile(c *config.Policy, consumers *Consumers) (compiled, bool) {
	switch {
	case c.IP != nil && len(c.IP.Allow)+len(c.IP.Deny) > 0:
		return compiled{newIP(c.IP), phaseAddress}, true
	case c.APIKey != nil:
		return compiled{newAPIKey(c.APIKey, consumers), phaseWho}, true
	case c.Prefix != nil:
		if c.Prefix.Strip != "" {
			return compiled{newPrefix(c.Prefix), phaseStrip}, true
		}
		return compiled{newPrefix(c.Prefix), phaseAdd}, true
	case c.Headers != nil:
		return compiled{newHeaders(c.Headers), phaseFields}, true
	case c.SecureHeaders:
		return compiled{secureHeaders{}, phaseFields}, true
	case c.Redirect != nil:
		return compiled{newRedirect(c.Redirect), phaseAnswer}, true
	case c.Respond != nil:
		return compiled{newRespond(c.Respond), phaseAnswer}, true
	}
	return compiled{}, false
}

// Append puts p last.
func (c *Chain) Append(p Policy) {
	c.all = append(c.all, p)
	if d, ok := p.(Decider); ok {
		c.Deciders = append(c.Deciders, d)
	}
	if path, ok := p.(*Prefix); ok {
		c.Paths = appendPrefix(c.Paths, path)
	}
	if e, ok := p.(editor); ok {
		request, response := e.edits()
		c.Request, c.Response = c.Request.after(request), c.Response.after(response)
	}
}

// All are the policies, in the order in which they take effect; a nil chain has
// none.
func (c *Chain) All() []Policy {
	if c == nil {
		return nil
	}
	return c.all
}

// Alike tells whether what c lets pass, and makes of it, is what other would.
// Either may be nil.
func (c *Chain) Alike(other *Chain) bool {
	return c == other || slices.EqualFunc(c.All(), other.All(), func(a, b Policy) bool { return a.String() == b.String() })
}

// Rewrites are those that change the path; a nil chain has none.
func (c *Chain) Rewrites() []*Prefix {
	if c == nil {
		return nil
	}
	return c.Paths
}

// Decided are those that decide; a nil chain has none.
func (c *Chain) Decided() []Decider {
	if c == nil {
		return nil
	}
	return c.Deciders
}

// Answers tells whether the chain itself answers every request, so that none
// needs a backend.
func (c *Chain) Answers() bool {
	if c == nil || len(c.Deciders) == 0 {
		return false
	}
	_, final := c.Deciders[len(c.Deciders)-1].(interface{ final() })
	return final
}
