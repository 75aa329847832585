package proxy

import (
	"slices"

	"rgate/internal/policy"
)

// rewrite finds the path and query that the endpoint gets.
func (x *Exchange) rewrite() {
	x.Query = x.Route.Policies.Request.Query(x.Query)
	all, missed := x.Route.Policies.Paths, false
	x.rewrites = all
	for i, p := range all {
		path, moved := p.Rewrite(x.spare(), x.Forward)
		switch {
		case !moved && !missed:
			missed, x.rewrites = true, slices.Clone(all[:i])
		case moved && missed:
			x.rewrites = append(x.rewrites, p)
		}
		x.Forward = path
	}
}

// spare is what is left of the space for paths.
func (x *Exchange) spare() []byte {
	if len(x.Path) > 0 && &x.Path[0] == &x.pathSpace[0] {
		n := len(x.Path)
		return x.pathSpace[n:n:len(x.pathSpace)]
	}
	return x.pathSpace[:0]
}

// Rewrites are the changes that Forward came about by; nil for none.
func (x *Exchange) Rewrites() []*policy.Prefix { return x.rewrites }

// RequestEdits are what is changed on the fields that an endpoint gets; nil for
// nothing.
func (x *Exchange) RequestEdits() *policy.Edits {
	if x.Route == nil || x.Route.Policies == nil {
		return nil
	}
	return x.Route.Policies.Request
}

// ResponseEdits are what is changed on the fields of the answer; nil for nothing.
func (x *Exchange) ResponseEdits() *policy.Edits {
	if x.Route == nil || x.Route.Policies == nil {
		return nil
	}
	return x.Route.Policies.Response
}

// AppendVariable appends the value of one of config.Variables.
func (x *Exchange) AppendVariable(dst []byte, name string) []byte {
	switch name {
	case "client_ip":
		return x.Client.AppendTo(dst)
	case "consumer":
		if x.Consumer == nil {
			return dst
		}
		return append(dst, x.Consumer.Name...)
	case "host":
		return append(dst, withoutPort(x.Host)...)
	case "method":
		return append(dst, x.Method...)
	case "path":
		return append(dst, x.Path...)
	case "request_id":
		return append(dst, x.RequestID...)
	case "scheme":
		return append(dst, x.proto()...)
	}
	return dst
}
