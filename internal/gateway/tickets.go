package gateway

import (
	"encoding/json"

	"rgate/internal/listen"
)

// supply is what listeners with TLS are given.
func (g *Gateway) supply() listen.Supply { return listen.Supply{Issue: g.issue, Tickets: g.tickets} }

// ticketsLine is what a successor hears first: it resumes the sessions that this
// process began. It is a list, where all else on the line is a mapping, so that
// who knows nothing of it takes it for nonsense, and passes it over.
func (g *Gateway) ticketsLine() []byte {
	line, _ := json.Marshal(g.tickets.Bequest()) // cannot fail: it is plain data
	return append(line, '\n')
}

// inheritTickets takes in such a line, before this process serves; false where it is
// none.
func (g *Gateway) inheritTickets(text []byte) bool {
	var keys []listen.TicketKey
	if json.Unmarshal(text, &keys) != nil || keys == nil {
		return false
	}
	g.tickets.Inherit(keys)
	g.do(func(o *owner) { o.listeners.Reseal() })
	return true
}
