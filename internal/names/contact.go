package names

import (
	"context"
	"net"
	"net/netip"
	"time"
)

// contact is what is known of an address of a name that has both families.
//
// Many names have an address of a family on which nobody listens, or that leads
// nowhere from here; localhost is one. Whoever dials a name tries the other
// family then (RFC 8305), and so that no request has to, an address is an
// endpoint once it accepts a connection, or while no address of its name does.
type contact struct {
	accepts bool // it did once: from then on it is an endpoint like any
	trying  bool
	tried   bool
	due     time.Time // when to try again
}

// touch is what came of a try.
type touch struct {
	at      netip.AddrPort
	accepts bool
}

// try connects to an address, and says nothing to whom it finds.
func (w *watch) try(ctx context.Context, at netip.AddrPort) {
	ctx, cancel := context.WithTimeout(ctx, w.source.timing.dial)
	defer cancel()
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", at.String())
	if err == nil {
		_ = c.Close()
	}
	select {
	case w.touched <- touch{at, err == nil}:
	case <-w.ended:
	}
}

// contact starts tries of the addresses that have not accepted yet.
func (w *watch) contact(ctx context.Context) {
	now := time.Now()
	wanted := map[netip.AddrPort]bool{}
	for _, s := range w.selectors {
		for _, name := range s.Names {
			if all, both := w.addresses(name); both {
				for _, at := range all {
					wanted[at] = true
				}
			}
		}
	}
	for at := range w.contacts {
		if !wanted[at] {
			delete(w.contacts, at)
		}
	}
	for at := range wanted {
		c := w.contacts[at]
		if c == nil {
			c = &contact{}
			w.contacts[at] = c
		}
		if c.accepts || c.trying || now.Before(c.due) {
			continue
		}
		c.trying = true
		w.start(ctx, func() { w.try(ctx, at) })
	}
}

// accepting are those of all that are endpoints now, and those that are not.
func (w *watch) accepting(all []netip.AddrPort) (in, out []netip.AddrPort) {
	for _, at := range all {
		if c := w.contacts[at]; c != nil && c.accepts {
			in = append(in, at)
		} else {
			out = append(out, at)
		}
	}
	if len(in) == 0 {
		return all, nil
	}
	return in, out
}
