package policy

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"rgate/internal/config"
)

// redirect sends every request elsewhere.
type redirect struct {
	to     []config.Piece
	status int
	text   string
	away   bool   // to is a URL, whose host may be another
	hidden *Edits // of the query, before it goes there; nil for nothing
}

func newRedirect(c *config.Redirect) *redirect {
	text := "redirect: " + strconv.Itoa(c.Status) + " "
	for _, p := range c.To {
		if p.Variable != "" {
			text += "{" + p.Variable + "}"
		} else {
			text += p.Text
		}
	}
	return &redirect{to: c.To, status: c.Status, text: text, away: len(c.To) > 0 && !strings.HasPrefix(c.To[0].Text, "/")}
}

// hiding is r where e is made of requests: a key goes to no other host.
func (r *redirect) hiding(e *Edits) *redirect {
	if !r.away || e == nil || len(e.parameters) == 0 {
		return r
	}
	own := *r
	own.hidden = e
	return &own
}

// answerHostless is for who has to be sent to the host that it asks for, and asks
// for none: with what follows it would be another.
var answerHostless = &Answer{
	Status: 400, Reason: "bad_request", ContentType: plainText, Body: []byte("a host is wanted\n"),
}

// Decide implements Decider. The query goes along where the target has none.
func (r *redirect) Decide(q Request) Decision {
	if len(q.Host) == 0 && slices.ContainsFunc(r.to, func(p config.Piece) bool { return p.Variable == "host" }) {
		return Decision{Refusal: answerHostless}
	}
	to := appendPieces(nil, r.to, q.Speaker)
	if len(q.Query) > 0 && !bytes.ContainsRune(to, '?') && !bytes.ContainsRune(to, '#') {
		to = append(to, r.hidden.Query(q.Query)...)
	}
	return Decision{Refusal: &Answer{
		Status: r.status, Meant: true,
		ContentType: plainText, Body: []byte("see Location\n"),
		Fields: [][2]string{{"Location", string(to)}},
	}}
}

// String implements Policy.
func (r *redirect) String() string { return r.text }

func (*redirect) final() {}

// respond gives every request the same answer.
type respond struct{ answer *Answer }

func newRespond(c *config.Respond) *respond {
	return &respond{&Answer{Status: c.Status, ContentType: c.ContentType, Body: []byte(c.Body), Meant: true}}
}

// Decide implements Decider.
func (r *respond) Decide(Request) Decision { return Decision{Refusal: r.answer} }

// String implements Policy.
func (r *respond) String() string { return fmt.Sprintf("respond: %d", r.answer.Status) }

func (*respond) final() {}
