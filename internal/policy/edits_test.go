package policy

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"rgate/internal/config"
)

// says is a Speaker of fixed words.
type says map[string]string

func (s says) AppendVariable(dst []byte, name string) []byte { return append(dst, s[name]...) }

func text(s string) []config.Piece { return []config.Piece{{Text: s}} }

// edited is what e makes of a message with these fields.
func edited(e *Edits, fields ...string) []string {
	var out []string
	header := http.Header{}
	for _, f := range fields {
		name, _, _ := strings.Cut(f, ":")
		header.Set(name, "there")
		if !e.Drops([]byte(name)) {
			out = append(out, f)
		}
	}
	added := e.Append(nil, says{"host": "h.example", "client_ip": "192.0.2.7"}, func(name string) bool { return header.Get(name) != "" })
	for line := range strings.SplitSeq(strings.TrimSuffix(string(added), "\r\n"), "\r\n") {
		if line != "" {
			out = append(out, line)
		}
	}
	return out
}

func TestEdits(t *testing.T) {
	rules := &config.HeaderRules{Request: config.FieldRules{
		Remove: []string{"X-Secret", "X_Odd"},
		Set:    []config.FieldValue{{Name: "X-From", Value: []config.Piece{{Variable: "client_ip"}, {Text: " at "}, {Variable: "host"}}}},
		Add:    []config.FieldValue{{Name: "X-Tag", Value: text("b")}},
	}}
	chain := compileAll([]*config.Policy{{Headers: rules}})
	got := edited(chain.Request, "X-Tag: a", "x-SECRET: 1", "X_Secret: 2", "X-From: me", "x_from: me", "X-Froms: kept", "x-odd: 3", "X_Odd: 4")
	want := []string{"X-Tag: a", "X-Froms: kept", "X-From: 192.0.2.7 at h.example", "X-Tag: b"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if chain.Response != nil || len(chain.Decided()) != 0 {
		t.Errorf("%+v", chain)
	}
	if got := chain.All()[0].String(); got != "headers: request remove X-Secret, remove X_Odd, set X-From, add X-Tag" {
		t.Error(got)
	}
}

// Of two policies the later one has its way with what the earlier one says.
func TestEditsOneAfterTheOther(t *testing.T) {
	set := func(name, value string) *config.Policy {
		return &config.Policy{Headers: &config.HeaderRules{Response: config.FieldRules{Set: []config.FieldValue{{Name: name, Value: text(value)}}}}}
	}
	f := func(want []string, all ...*config.Policy) {
		t.Helper()
		if got := edited(compileAll(all).Response, "Server: x", "X-Frame-Options: DENY"); !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	secure := &config.Policy{SecureHeaders: true}
	rest := []string{"X-Content-Type-Options: nosniff", "Referrer-Policy: strict-origin-when-cross-origin", "Cross-Origin-Opener-Policy: same-origin-allow-popups"}
	f(append([]string{"X-Frame-Options: DENY"}, rest...), secure)
	f([]string{"X-Frame-Options: DENY", "A: 2", "B: 3"}, set("A", "1"), set("A", "2"), set("B", "3"), set("Server", ""), &config.Policy{Headers: &config.HeaderRules{Response: config.FieldRules{Remove: []string{"Server"}}}})
	f(append([]string{"X-Frame-Options: DENY", "Referrer-Policy: no-referrer"}, rest[0], rest[2]), secure, set("Referrer-Policy", "no-referrer"))
	f(append([]string{"X-Frame-Options: DENY", "Server: mine"}, rest...), secure, set("Server", "mine"))
	// Nothing is filled in that is said already, whoever comes first.
	f([]string{"X-Frame-Options: DENY", "Referrer-Policy: no-referrer", rest[0], rest[2]}, set("Referrer-Policy", "no-referrer"), secure)
	add := &config.Policy{Headers: &config.HeaderRules{Response: config.FieldRules{Add: []config.FieldValue{{Name: "Referrer-Policy", Value: text("no-referrer")}}}}}
	f([]string{"X-Frame-Options: DENY", "Referrer-Policy: no-referrer", rest[0], rest[2]}, secure, add)
	// What was taken away before is not there.
	remove := &config.Policy{Headers: &config.HeaderRules{Response: config.FieldRules{Remove: []string{"X-Frame-Options"}}}}
	f([]string{rest[0], "X-Frame-Options: SAMEORIGIN", rest[1], rest[2]}, remove, secure)
	f(rest, secure, remove)
}

func TestEditingAllocatesNothing(t *testing.T) {
	e := compileAll([]*config.Policy{{SecureHeaders: true}}).Response
	dst, speaker, name := make([]byte, 0, 1024), says{}, []byte("Content-Type")
	if n := testing.AllocsPerRun(100, func() {
		e.Drops(name)
		e.Append(dst, speaker, func(string) bool { return false })
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
