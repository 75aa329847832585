package gateway

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"rgate/internal/upstream"
)

// maxHeld bounds what is drained by hand.
const maxHeld = 200

var (
	errUpgrading = errors.New("an upgrade is under way: try again once it is over")
	errManyHeld  = fmt.Errorf("%d are drained by hand already: undrain what is gone", maxHeld)
)

// held are the names and ids of containers that are drained by hand, until they
// are undrained: one that is started anew, under the same name or id, stays so.
// The owner's.
type held []string

func (h held) holds(e *upstream.Endpoint) bool {
	return slices.Contains(h, e.Name) || e.ID != "" && slices.Contains(h, e.ID)
}

// named tells whether e is meant by a name, or at least 12 digits of an id.
func named(e *upstream.Endpoint, word string) bool {
	return e.Name == word || e.ID == word || meansID(word, e.ID)
}

func meansID(word, id string) bool { return len(word) >= 12 && strings.HasPrefix(id, word) }

// apply holds those of the endpoints that are drained by hand, and no others.
func (h held) apply(endpoints []*upstream.Endpoint) {
	for _, e := range endpoints {
		switch on := len(h) > 0 && h.holds(e); {
		case on && !e.Held():
			e.Hold()
		case !on && e.Held():
			e.Unhold()
		}
	}
}

// Drain takes the endpoints of a container out of use until Undrain. It returns
// how many there are now.
func (g *Gateway) Drain(container string) (n int, err error) {
	return g.hand(func(o *owner) (int, error) {
		endpoints := o.gate.Table().Endpoints()
		next := slices.Clone(o.held)
		for _, e := range endpoints {
			if !named(e, container) {
				continue
			}
			n++
			word := e.Name
			if e.Name != container {
				word = e.ID
			}
			if !slices.Contains(next, word) && len(word) < 300 {
				next = append(next, word)
			}
		}
		if len(next) > maxHeld {
			return 0, errManyHeld
		}
		o.hold(next)
		return n, nil
	})
}

// Undrain ends a Drain, also of a container that is not there now. It returns
// how many endpoints, or drains of such, that were.
func (g *Gateway) Undrain(container string) (n int, err error) {
	return g.hand(func(o *owner) (int, error) {
		words := []string{container}
		for _, e := range o.gate.Table().Endpoints() {
			if named(e, container) {
				n++
				words = append(words, e.Name, e.ID)
			}
		}
		next := slices.DeleteFunc(slices.Clone(o.held), func(word string) bool {
			return slices.Contains(words, word) || meansID(container, word)
		})
		if n == 0 {
			n = len(o.held) - len(next)
		}
		o.hold(next)
		return n, nil
	})
}

// hand has the owner do what changes who is held, unless a new process takes
// over or is about to: it has been told already who is.
func (g *Gateway) hand(order func(*owner) (int, error)) (n int, err error) {
	err = errEnded
	g.do(func(o *owner) {
		switch {
		case o.leaving.Load():
			err = o.whyLeaving()
		case o.bequeathed:
			err = errUpgrading
		default:
			n, err = order(o)
		}
	})
	return n, err
}

// hold makes these the ones that are held.
func (o *owner) hold(next held) {
	if slices.Equal(o.held, next) {
		return
	}
	o.held = next
	o.apply()
}
