package policy

import (
	"bytes"
	"encoding/hex"

	"rgate/internal/config"
)

// apiKey lets those pass that show a key of a consumer.
type apiKey struct {
	config.APIKey
	consumers *Consumers
	among     map[string]bool // Consumers; nil for any
	unknown   *Answer
}

// longestKey bounds what is hashed for a stranger.
const longestKey = 512

func newAPIKey(c *config.APIKey, consumers *Consumers) *apiKey {
	var among map[string]bool
	for _, name := range c.Consumers {
		if among == nil {
			among = map[string]bool{}
		}
		among[name] = true
	}
	return &apiKey{*c, consumers, among, &Answer{
		Status: 401, Reason: ReasonUnauthenticated,
		ContentType: plainText, Body: []byte("a key is wanted, by " + c.In + " " + c.Name + "\n"),
		Fields: [][2]string{{"WWW-Authenticate", `ApiKey in="` + c.In + `", name="` + c.Name + `"`}},
	}}
}

// Decide implements Decider. A key that comes twice is none: who looks at the
// other one would see another consumer.
func (a *apiKey) Decide(r Request) Decision {
	key, once := a.find(&r)
	if !once || len(key) == 0 || len(key) > longestKey {
		return Decision{Refusal: a.unknown}
	}
	c := a.consumers.owner(key)
	switch {
	case c == nil:
		return Decision{Refusal: a.unknown}
	case !c.is(a.among):
		return Decision{Refusal: answerForbidden}
	}
	return Decision{Consumer: c}
}

// find is the key, where it is there once.
func (a *apiKey) find(r *Request) (key []byte, once bool) {
	switch a.In {
	case config.InQuery:
		return parameter(r.Query, a.Name)
	case config.InCookie:
		return r.Header.Cookie(a.Name), r.Header.Count("Cookie") == 1 && cookies(r.Header.Get("Cookie"), a.Name) == 1
	}
	return r.Header.Get(a.Name), r.Header.Count(a.Name) == 1
}

// parameter is the value of a query parameter as it stands, which is not decoded:
// a key and its name have nothing to be encoded. A name that is encoded is one more
// all the same, since whoever decodes it finds two.
func parameter(query []byte, name string) (value []byte, once bool) {
	found := 0
	for rest := bytes.TrimPrefix(query, []byte("?")); len(rest) > 0; {
		var part []byte
		part, rest, _ = bytes.Cut(rest, []byte("&"))
		key, v, _ := bytes.Cut(part, []byte("="))
		if readsAs(key, name) {
			found++
		}
		if string(key) == name {
			value = v
		}
	}
	return value, found == 1
}

// readsAs tells whether raw, a part of a query, is name once it is decoded. Names
// have no spaces.
func readsAs(raw []byte, name string) bool {
	at := 0
	for i := 0; i < len(raw); i, at = i+1, at+1 {
		c := raw[i]
		if c == '%' && i+2 < len(raw) {
			var b [1]byte
			if _, err := hex.Decode(b[:], raw[i+1:i+3]); err == nil {
				c, i = b[0], i+2
			}
		}
		if at == len(name) || c != name[at] {
			return false
		}
	}
	return at == len(name)
}

// cookies is how many cookies of that name there are.
func cookies(field []byte, name string) int {
	found := 0
	for len(field) > 0 {
		var pair []byte
		pair, field, _ = bytes.Cut(field, []byte(";"))
		key, _, ok := bytes.Cut(bytes.TrimSpace(pair), []byte("="))
		if ok && string(key) == name {
			found++
		}
	}
	return found
}

// edits takes the key away before the endpoint gets the request, or what could be
// taken for another one.
func (a *apiKey) edits() (request, response *Edits) {
	switch {
	case a.Keep && a.In == config.InHeader:
		return &Edits{twins: []string{lower(a.Name)}}, nil
	case a.Keep:
		return nil, nil
	case a.In == config.InQuery:
		return &Edits{parameters: []string{a.Name}}, nil
	case a.In == config.InCookie:
		return &Edits{cookies: []string{a.Name}}, nil
	}
	return &Edits{drop: []string{lower(a.Name)}}, nil
}

// String implements Policy.
func (a *apiKey) String() string {
	who := "any consumer"
	if len(a.Consumers) > 0 {
		who = listed(a.Consumers, ", ")
	}
	return "api_key: " + a.In + " " + a.Name + ", " + who
}
