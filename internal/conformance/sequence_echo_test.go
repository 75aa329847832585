//go:build linux

package conformance

import (
	"fmt"
	"io"
)

// hearEcho goes through an upgrade. The connection is used up by it.
func (v *visit) hearEcho(a *asked) bool {
	v.tally.add("exchanges")
	m := &message{}
	err := m.readHead(v.in)
	v.look(a.plan, m, "a client")
	if v.foreign(a, m) {
		return false
	}
	if err != nil || m.status() != 101 {
		v.tally.add(fmt.Sprint("upgrade refused ", m.status()))
		if err != nil && !v.shaky {
			v.fault(a.plan, m, "no answer to an upgrade: %v", err)
		}
		return false
	}
	d := throw(v.seed, forEcho|uint64(a.id))
	want := letter(a.id, '>', a.size)
	said := make(chan struct{})
	go func() {
		defer close(said)
		v.send(want, a.pieces, d)
	}()
	if err := m.take(v.in, len(want)); err != nil {
		v.fault(a.plan, m, "an echo ends: %v", err)
	}
	<-said
	v.look(a.plan, m, "a client")
	if why := parts(m.body, want); why != "" {
		v.fault(a.plan, m, "in an echo %s", why)
	}
	v.quit(a.how)
	if rest, _ := io.ReadAll(v.in); len(rest) > 0 {
		v.fault(a.plan, &message{raw: rest}, "behind an echo comes more")
	}
	v.tally.add("upgraded")
	return false
}
