package policy

import (
	"fmt"
	"slices"

	"rgate/internal/config"
)

// Compiler makes the chains of a table. What several routes have is made once: a
// policy may be a list of thousands, and stand on thousands of routes.
type Compiler struct {
	consumers *Consumers
	made      map[*config.Policy]compiled
	chains    map[string]*Chain // by the policies that they are of
}

// compiled is a policy and its place; without one where it demands and changes
// nothing.
type compiled struct {
	Policy
	phase phase
}

// NewCompiler is one for the consumers of a file.
func NewCompiler(consumers []config.Consumer) *Compiler {
	return &Compiler{NewConsumers(consumers), map[*config.Policy]compiled{}, map[string]*Chain{}}
}

// Chain is that of a route's policies; nil for none. Where there are consumers, no
// client may say that it is one.
func (c *Compiler) Chain(all []*config.Policy) *Chain {
	var list []compiled
	if c.consumers.any {
		list = append(list, compiled{identity{}, phaseIdentity})
	}
	var key []byte
	for _, p := range all {
		one, known := c.made[p]
		if !known {
			one = compile(p, c.consumers)
			c.made[p] = one
		}
		if one.Policy != nil {
			list, key = append(list, one), fmt.Appendf(key, "%p ", p)
		}
	}
	if list == nil {
		return nil
	}
	chain := c.chains[string(key)]
	if chain == nil {
		slices.SortStableFunc(list, func(a, b compiled) int { return int(a.phase) - int(b.phase) })
		chain = &Chain{}
		for _, p := range list {
			chain.Append(p.Policy)
		}
		c.chains[string(key)] = chain
	}
	return chain
}

// compile makes one policy.
func compile(c *config.Policy, consumers *Consumers) compiled {
	switch {
	case c.IP != nil && len(c.IP.Allow)+len(c.IP.Deny) > 0:
		return compiled{newIP(c.IP), phaseAddress}
	case c.APIKey != nil:
		return compiled{newAPIKey(c.APIKey, consumers), phaseWho}
	case c.Prefix != nil && c.Prefix.Strip != "":
		return compiled{newPrefix(c.Prefix), phaseStrip}
	case c.Prefix != nil:
		return compiled{newPrefix(c.Prefix), phaseAdd}
	case c.Headers != nil:
		return compiled{newHeaders(c.Headers), phaseFields}
	case c.SecureHeaders:
		return compiled{secureHeaders{}, phaseFields}
	case c.Redirect != nil:
		return compiled{newRedirect(c.Redirect), phaseAnswer}
	case c.Respond != nil:
		return compiled{newRespond(c.Respond), phaseAnswer}
	}
	return compiled{}
}
