package policy

import (
	"bytes"
	"slices"
	"strings"

	"rgate/internal/config"
)

// Edits are changes of the fields of a message, as they are made while it is
// worded anew. A nil Edits changes nothing.
type Edits struct {
	drop  []string // in lower case: not passed on, in whichever spelling
	twins []string // in lower case: not passed on in another spelling
	add   []line
	fill  []line // where no field of the name is there

	cookies, parameters []string // that are taken out of Cookie and the query
}

// line is a field that is said.
type line struct {
	name  string
	value []config.Piece
	bare  bool // of fill: whatever is there
}

// editor is a policy that changes fields.
type editor interface {
	edits() (request, response *Edits)
}

// Speaker has the values of config.Variables. *proxy.Exchange is one.
type Speaker interface {
	AppendVariable(dst []byte, name string) []byte
}

// compileEdits makes edits of rules; nil for none.
func compileEdits(rules *config.FieldRules) *Edits {
	if len(rules.Remove)+len(rules.Set)+len(rules.Add) == 0 {
		return nil
	}
	e := &Edits{}
	for _, name := range rules.Remove {
		e.drop = append(e.drop, lower(name))
	}
	for _, f := range rules.Set {
		e.drop = append(e.drop, lower(f.Name))
		e.add = append(e.add, line{name: f.Name, value: f.Value})
	}
	for _, f := range rules.Add {
		e.add = append(e.add, line{name: f.Name, value: f.Value})
	}
	return e
}

// after is e, with next made on what it leaves.
func (e *Edits) after(next *Edits) *Edits {
	switch {
	case next == nil:
		return e
	case e == nil:
		return next
	}
	whole := &Edits{
		drop: slices.Concat(e.drop, next.drop), twins: slices.Concat(e.twins, next.twins),
		cookies: slices.Concat(e.cookies, next.cookies), parameters: slices.Concat(e.parameters, next.parameters),
	}
	for _, l := range e.add {
		if !next.Drops([]byte(l.name)) {
			whole.add = append(whole.add, l)
		}
	}
	whole.add = append(whole.add, next.add...)
	for _, l := range e.fill {
		if !next.Drops([]byte(l.name)) && !next.Says(l.name) {
			whole.fill = append(whole.fill, l)
		}
	}
	for _, l := range next.fill {
		if !e.Says(l.name) {
			l.bare = e.Drops([]byte(l.name)) // what is there is not passed on
			whole.fill = append(whole.fill, l)
		}
	}
	return whole
}

// Drops tells whether a field of that name is not passed on. What a gateway takes
// away or says itself must not come through in the spelling with underscores,
// which CGI and what follows it read as hyphens.
func (e *Edits) Drops(name []byte) bool {
	if e == nil {
		return false
	}
	for _, d := range e.drop {
		if sameName(name, d) {
			return true
		}
	}
	for _, t := range e.twins {
		if sameName(name, t) && !strings.EqualFold(string(name), t) {
			return true
		}
	}
	return false
}

// Hides tells whether e takes cookies out of what names them.
func (e *Edits) Hides() bool { return e != nil && len(e.cookies) > 0 }

// AppendCookies appends a Cookie field's value without the cookies that are taken
// out; nothing where none is left.
func (e *Edits) AppendCookies(dst, field []byte) []byte {
	start := len(dst)
	for len(field) > 0 {
		var pair []byte
		pair, field, _ = bytes.Cut(field, []byte(";"))
		pair = bytes.TrimSpace(pair)
		name, _, _ := bytes.Cut(pair, []byte("="))
		if len(pair) == 0 || slices.Contains(e.cookies, string(name)) {
			continue
		}
		if len(dst) > start {
			dst = append(dst, "; "...)
		}
		dst = append(dst, pair...)
	}
	return dst
}

// Query is a query, with its question mark, without the parameters that are taken
// out; nil where none is left.
func (e *Edits) Query(query []byte) []byte {
	if e == nil || len(e.parameters) == 0 || len(query) == 0 {
		return query
	}
	var left []byte
	for part := range bytes.SplitSeq(query[1:], []byte("&")) {
		name, _, _ := bytes.Cut(part, []byte("="))
		if slices.ContainsFunc(e.parameters, func(p string) bool { return readsAs(name, p) }) {
			continue
		}
		if left == nil {
			left = append(make([]byte, 0, len(query)), '?')
		} else {
			left = append(left, '&')
		}
		left = append(left, part...)
	}
	return left
}

// Says tells whether e itself says a field of that name.
func (e *Edits) Says(name string) bool {
	return e != nil && slices.ContainsFunc(e.add, func(l line) bool { return strings.EqualFold(l.name, name) })
}

// Append says what is to be said, each field on a line of its own. has tells
// whether the message has a field of a name.
func (e *Edits) Append(dst []byte, s Speaker, has func(name string) bool) []byte {
	for i := range e.add {
		dst = e.add[i].append(dst, s)
	}
	for i := range e.fill {
		if e.fill[i].bare || !has(e.fill[i].name) {
			dst = e.fill[i].append(dst, s)
		}
	}
	return dst
}

func (l *line) append(dst []byte, s Speaker) []byte {
	dst = append(dst, l.name...)
	dst = append(dst, ':', ' ')
	dst = appendPieces(dst, l.value, s)
	return append(dst, '\r', '\n')
}

// appendPieces appends a value with its variables as s has them.
func appendPieces(dst []byte, value []config.Piece, s Speaker) []byte {
	for i := range value {
		if p := &value[i]; p.Variable != "" {
			dst = s.AppendVariable(dst, p.Variable)
		} else {
			dst = append(dst, p.Text...)
		}
	}
	return dst
}

// sameName compares a name with one in lower case.
func sameName(name []byte, to string) bool {
	if len(name) != len(to) {
		return false
	}
	for i, c := range name {
		switch {
		case 'A' <= c && c <= 'Z':
			c |= 0x20
		case c == '_':
			c = '-'
		}
		if c != to[i] && (to[i] != '_' || c != '-') {
			return false
		}
	}
	return true
}

func lower(name string) string {
	b := []byte(name)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c | 0x20
		}
	}
	return string(b)
}
