package route

import (
	"bytes"
	"math/bits"
	"slices"

	"rgate/internal/config"
)

// parameterNames are the query parameters that routes of a table ask for. Their
// places are bits of a set; a file cannot ask for more than there are.
type parameterNames struct {
	names  []string
	byHash [64]uint32 // the names that a hash may belong to
}

func parametersOf(routes []config.Route) *parameterNames {
	all := &parameterNames{}
	for i := range routes {
		for _, c := range routes[i].Query {
			if slices.Contains(all.names, c.Name) {
				continue
			}
			all.byHash[hash([]byte(escaped(c.Name)))%64] |= 1 << len(all.names)
			all.names = append(all.names, c.Name)
		}
	}
	return all
}

// parameters are those of one query that routes ask for. The query is read once,
// and only where a route asks: it may be long, and the routes many.
type parameters struct {
	*parameterNames
	read   bool
	found  uint32
	values [config.MaxParameters][]byte // the first of each name, as it was sent
}

// in is the first parameter of that name, one that routes ask for, in query.
func (p *parameters) in(query []byte, name string) (value []byte, found bool) {
	if !p.read {
		p.take(query)
	}
	for i := range p.names {
		if p.names[i] == name {
			return p.values[i], p.found&(1<<i) != 0
		}
	}
	return nil, false
}

func (p *parameters) take(query []byte) {
	p.read = true
	query = bytes.TrimPrefix(query, question)
	for all := uint32(1)<<len(p.names) - 1; len(query) > 0 && p.found != all; {
		var pair []byte
		pair, query, _ = bytes.Cut(query, ampersand)
		name, value, _ := bytes.Cut(pair, equals)
		for may := p.byHash[hash(name)%64] &^ p.found; may != 0; may &= may - 1 {
			if i := bits.TrailingZeros32(may); reads(name, p.names[i]) {
				p.found |= 1 << i
				p.values[i] = value
			}
		}
	}
}

var question, ampersand, equals = []byte("?"), []byte("&"), []byte("=")

// hash is that of raw, a part of a query, once it is decoded (FNV-1a).
func hash(raw []byte) uint32 {
	h := uint32(2166136261)
	for i := 0; i < len(raw); {
		var c byte
		c, i = decoded(raw, i)
		h = (h ^ uint32(c)) * 16777619
	}
	return h
}

// reads tells whether raw, a part of a query, is text once it is decoded.
func reads(raw []byte, text string) bool {
	at := 0
	for i := 0; i < len(raw); at++ {
		var c byte
		if c, i = decoded(raw, i); at == len(text) || text[at] != c {
			return false
		}
	}
	return at == len(text)
}

// decoded is the character at raw[i] as in a form, where a plus is a space, and
// the place of the next. A percent sign without two digits stands for itself.
func decoded(raw []byte, i int) (c byte, next int) {
	if c, ok := Escaped(raw, i); ok {
		return c, i + 3
	}
	if raw[i] == '+' {
		return ' ', i + 1
	}
	return raw[i], i + 1
}
