package config

import (
	"net/textproto"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// HeaderRules are what is changed on the fields of requests, as endpoints get
// them, and of answers, as clients get them.
type HeaderRules struct {
	Request, Response FieldRules
}

// FieldRules change the fields of one message, in this order.
type FieldRules struct {
	Remove []string     // names in canonical form
	Set    []FieldValue // in place of all there are of that name
	Add    []FieldValue // beside what there is
}

// FieldValue is a field with what is to be in it, in pieces.
type FieldValue struct {
	Name  string // in canonical form
	Value []Piece
}

// Piece is text, or what stands in its place.
type Piece struct {
	Text     string
	Variable string // one of Variables; "" for text
}

// Variables are what can stand in a value, in braces.
var Variables = []string{"client_ip", "consumer", "host", "method", "path", "request_id", "scheme"}

var headerRulesKeys = []key[HeaderRules]{
	section("request", fieldRulesKeys, func(h *HeaderRules) *FieldRules { return &h.Request }),
	section("response", fieldRulesKeys, func(h *HeaderRules) *FieldRules { return &h.Response }),
}

var fieldRulesKeys = []key[FieldRules]{
	{name: "set", read: func(d *decoder, n *yaml.Node, f *FieldRules) { f.Set = fieldValues(d, n, "set") }},
	{name: "add", read: func(d *decoder, n *yaml.Node, f *FieldRules) { f.Add = fieldValues(d, n, "add") }},
	distinct("remove", readFieldName, func(f *FieldRules) *[]string { return &f.Remove }),
}

func readHeaderRules(d *decoder, n *yaml.Node, into *policyDraft) {
	into.Headers = &HeaderRules{}
	mapping(d, n, "`headers`", headerRulesKeys, into.Headers)
}

// readFieldName reads the name of a field that rules may touch.
func readFieldName(d *decoder, s scalar) (string, bool) {
	name, ok := text(checkFieldName)(d, s)
	return textproto.CanonicalMIMEHeaderKey(name), ok
}

// untouchable are the fields that say where a message ends, that are about one
// connection, or by which rgate vouches for who asks.
var untouchable = []string{
	"Connection", "Content-Length", "Date", "Expect", "Forwarded", "Host", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization",
	"Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade", "Via", "X-Real-Ip", "X-Request-Id", "X-Rgate-Reason",
}

func checkFieldName(name string) (message, hint string) {
	if message, hint = checkToken("a header's name")(name); message != "" {
		return message, hint
	}
	proper := strings.ReplaceAll(textproto.CanonicalMIMEHeaderKey(name), "_", "-")
	proper = textproto.CanonicalMIMEHeaderKey(proper)
	if slices.Contains(untouchable, proper) || strings.HasPrefix(proper, "X-Forwarded-") || strings.HasPrefix(proper, "X-Consumer-") || strings.HasPrefix(strings.TrimPrefix(proper, "X-")+"-", "Client-Cert-") {
		return shown(name) + " cannot be changed: rgate says it itself, or it belongs to one connection", "leave it out"
	}
	return "", ""
}

// fieldValues reads a mapping of names to values.
func fieldValues(d *decoder, n *yaml.Node, what string) []FieldValue {
	var all []FieldValue
	lines := map[string]int{}
	for _, e := range d.entries(n, "`"+what+"`") {
		if message, hint := checkFieldName(e.key.Value); message != "" {
			d.problem(e.key, hint, "%s", message)
			continue
		}
		name := textproto.CanonicalMIMEHeaderKey(e.key.Value)
		if line, twice := lines[name]; twice {
			d.problem(e.key, "keep one of them", "%s is given twice in `%s`, first on line %d", shown(name), what, line)
			continue
		}
		lines[name] = e.key.Line
		s, ok := d.scalar(e.key.Value, e.value)
		if !ok {
			continue
		}
		if value, ok := pieces(d, s); ok {
			all = append(all, FieldValue{name, value})
		}
	}
	slices.SortFunc(all, func(a, b FieldValue) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// pieces cuts a value at its variables. A brace that is to be one is doubled.
func pieces(d *decoder, s scalar) ([]Piece, bool) {
	if hasControl(s.text) || strings.TrimSpace(s.text) != s.text {
		d.problem(s.node, "one line, without spaces around it", "no header has this value")
		return nil, false
	}
	var all []Piece
	var plain strings.Builder
	for rest := s.text; rest != ""; {
		c := rest[0]
		if (c == '{' || c == '}') && len(rest) > 1 && rest[1] == c {
			plain.WriteByte(c)
			rest = rest[2:]
			continue
		}
		if c != '{' && c != '}' {
			plain.WriteByte(c)
			rest = rest[1:]
			continue
		}
		name, after, closed := strings.Cut(rest[1:], "}")
		if c == '}' || !closed || !slices.Contains(Variables, name) {
			hint := "known are {" + strings.Join(Variables, "}, {") + "}; a brace that is to be one is written twice"
			if near := d.guess(name, Variables); c == '{' && closed && near != "" {
				hint = "did you mean `{" + near + "}`?"
			}
			d.problem(s.node, hint, "%s has a brace that begins or ends no variable", shown(s.node.Value)) // what a variable of the environment holds may be secret
			return nil, false
		}
		if plain.Len() > 0 {
			all = append(all, Piece{Text: plain.String()})
			plain.Reset()
		}
		all = append(all, Piece{Variable: name})
		rest = after
	}
	if plain.Len() > 0 || all == nil {
		all = append(all, Piece{Text: plain.String()})
	}
	return all, true
}
