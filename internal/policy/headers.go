package policy

import (
	"strings"

	"rgate/internal/config"
)

// headers changes fields as the file says.
type headers struct {
	request, response *Edits
	text              string
}

func newHeaders(c *config.HeaderRules) headers {
	h := headers{request: compileEdits(&c.Request), response: compileEdits(&c.Response), text: "headers:"}
	for _, side := range []struct {
		word  string
		rules *config.FieldRules
	}{{"request", &c.Request}, {"response", &c.Response}} {
		var words []string
		for _, name := range side.rules.Remove {
			words = append(words, "remove "+name)
		}
		for _, f := range side.rules.Set {
			words = append(words, "set "+f.Name)
		}
		for _, f := range side.rules.Add {
			words = append(words, "add "+f.Name)
		}
		if words != nil {
			h.text += " " + side.word + " " + strings.Join(words, ", ") + ";"
		}
	}
	h.text = strings.TrimRight(h.text, ";")
	return h
}

func (h headers) edits() (request, response *Edits) { return h.request, h.response }

// String implements Policy. It tells no values, which may be secrets.
func (h headers) String() string { return h.text }

// secureHeaders has answers say what browsers are to be careful about, where the
// endpoint says nothing itself, and not what they were made by.
type secureHeaders struct{}

var secureEdits = &Edits{
	drop: []string{"server", "x-powered-by", "x-aspnet-version", "x-aspnetmvc-version"},
	fill: []line{
		{name: "X-Content-Type-Options", value: []config.Piece{{Text: "nosniff"}}},
		{name: "X-Frame-Options", value: []config.Piece{{Text: "SAMEORIGIN"}}},
		{name: "Referrer-Policy", value: []config.Piece{{Text: "strict-origin-when-cross-origin"}}},
		{name: "Cross-Origin-Opener-Policy", value: []config.Piece{{Text: "same-origin-allow-popups"}}},
	},
}

func (secureHeaders) edits() (request, response *Edits) { return nil, secureEdits }

// String implements Policy.
func (secureHeaders) String() string { return "secure_headers" }
