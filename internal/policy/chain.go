package policy

import "slices"

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

// Append puts p last.
func (c *Chain) Append(p Policy) {
	if r, ok := p.(*redirect); ok {
		p = r.hiding(c.Request)
	}
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
