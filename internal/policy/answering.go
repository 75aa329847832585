package policy

import (
	"bytes"
	"fmt"
	"strconv"

	"rgate/internal/config"
)

// redirect sends every request elsewhere.
type redirect struct {
	to     []config.Piece
	status int
	text   string
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
	return &redirect{c.To, c.Status, text}
}

// Decide implements Decider. The query goes along where the target has none.
func (r *redirect) Decide(q Request) Decision {
	to := appendPieces(nil, r.to, q.Speaker)
	if len(q.Query) > 0 && !bytes.ContainsRune(to, '?') && !bytes.ContainsRune(to, '#') {
		to = append(to, q.Query...)
	}
	return Decision{Refusal: &Answer{
		Status: r.status, Meant: true,
		ContentType: "text/plain; charset=utf-8", Body: []byte("see Location\n"),
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
