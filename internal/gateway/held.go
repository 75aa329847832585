package gateway

import "strings"

// hold drains or undrains by hand the endpoints of a container, given by name
// or by at least 12 digits of its id. It returns how many there are.
func (g *Gateway) hold(container string, on bool) int {
	n := 0
	for _, e := range g.gate.Table().Endpoints() {
		if e.Name != container && e.ID != container && (len(container) < 12 || !strings.HasPrefix(e.ID, container)) {
			continue
		}
		n++
		if on {
			e.Hold()
		} else {
			e.Unhold()
		}
	}
	return n
}
