package listen

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"syscall"

	"rgate/internal/config"
	"rgate/internal/handover"
)

// ErrSocket is that a socket which this process was handed is not one that the
// configuration wants.
var ErrSocket = errors.New("cannot use the sockets that were passed")

// Opening is how a process comes by its listeners.
type Opening struct {
	Set      Set
	Passed   bool             // some were passed: another process may serve them
	Surplus  Set              // what a predecessor passed and the configuration does not want
	Warnings []config.Problem // about certificates that are served all the same
	Moved    bool             // the first is not where it was told to be, since a predecessor passed it
}

// Open makes the listeners of a process: those that were passed to it, and the
// others anew. first is where the first is to listen, "" for nowhere in
// particular.
func Open(in *handover.Inheritance, first string, cfg *config.Config, supply Supply) (*Opening, error) {
	cfg = fitting(cfg, cmp.Or(first, DefaultAddress))
	p := passing{wanted: append([]config.Listener{{Address: first}}, cfg.Listeners...), successor: in.Successor()}
	for s := in.Take("tcp"); s.Listener != nil; s = in.Take("tcp") {
		p.sockets = append(p.sockets, s)
	}
	p.taken = make(Set, len(p.wanted))
	o := &Opening{Passed: len(p.sockets) > 0}
	err := p.assign()
	if err == nil {
		o.Moved = p.moved
		err = o.complete(&p, cfg, supply)
	}
	if err != nil {
		p.close()
		return nil, err
	}
	for _, s := range p.sockets {
		o.Surplus = append(o.Surplus, New(s.Listener, config.Listener{Name: s.Name, Address: s.Addr().String()}))
	}
	return o, nil
}

// complete opens what was not passed.
func (o *Opening) complete(p *passing, cfg *config.Config, supply Supply) error {
	if p.taken[0] == nil {
		c := config.Listener{Address: p.wanted[0].Address}
		if c.Address == "" {
			c.Address = DefaultAddress
		}
		if err := cfg.Beside(c.Address); err != nil {
			return err
		}
		socket, err := openFirst(c.Address)
		if err != nil {
			return err
		}
		p.taken[0] = New(socket, c)
	}
	if l := p.taken[0]; !isAt(l.Addr(), l.Config().Address) {
		l.Configure(config.Listener{Address: l.Addr().String()})
	}
	there := slices.DeleteFunc(slices.Clone(p.taken), func(l *Listener) bool { return l == nil })
	held := addresses(there)
	for _, s := range p.sockets {
		held = append(held, s.Addr().String())
	}
	ch, err := there.change(cfg, nil, held, supply)
	if err != nil {
		return err
	}
	o.Set, o.Warnings = ch.Next, ch.Warnings
	ch.Commit()
	return nil
}

func openFirst(address string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	switch {
	case err == nil:
		return l, nil
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("cannot listen on %s: %w (is another program on that port? choose one with --port)", address, err)
	}
	return nil, fmt.Errorf("cannot listen on %s: %w", address, err)
}

// passing finds out which socket is whose.
type passing struct {
	wanted    []config.Listener // the first one first
	taken     Set               // for each of these
	sockets   []handover.Socket // the others
	successor bool
	moved     bool
}

// close closes all that is open.
func (p *passing) close() {
	for _, l := range p.taken {
		if l != nil {
			_ = l.Close()
		}
	}
	for _, s := range p.sockets {
		_ = s.Close()
	}
}

// assign gives each socket to who wants it.
func (p *passing) assign() error {
	if p.successor {
		p.fromPredecessor()
		return nil
	}
	return p.fromManager()
}

// fromPredecessor goes by the names. The first has none, and a predecessor that
// knew of one listener only passes it so. One whose name now means another
// address is another, and one that may have any port has none but its name.
func (p *passing) fromPredecessor() {
	p.take(func(i int, s handover.Socket) bool { return i == 0 && s.Name == "" })
	if l := p.taken[0]; l != nil {
		p.moved = !fits(l.Addr(), p.wanted[0].Address)
	}
	p.take(func(i int, s handover.Socket) bool {
		return i > 0 && s.Name == p.wanted[i].Name && isAt(s.Addr(), p.wanted[i].Address)
	})
	p.take(func(i int, s handover.Socket) bool {
		return i > 0 && s.Name != "" && config.SameAddress(s.Addr().String(), p.wanted[i].Address)
	})
}

// fromManager goes by the names, then by the addresses, the more exact ones
// first. None may be left.
func (p *passing) fromManager() error {
	named := func(i int, s handover.Socket) bool { return i > 0 && s.Name == p.wanted[i].Name }
	p.take(func(i int, s handover.Socket) bool { return named(i, s) && fits(s.Addr(), p.wanted[i].Address) })
	for i := range p.wanted {
		for _, s := range p.sockets {
			if p.taken[i] == nil && named(i, s) {
				return fmt.Errorf("%w: %s listens on %s, and the configuration has that listener on %s", ErrSocket, s.Name, s.Addr(), p.wanted[i].Address)
			}
		}
	}
	certain := func(i int) bool { a := p.wanted[i].Address; return a != "" && !config.AnyPort(a) }
	p.take(func(i int, s handover.Socket) bool { return certain(i) && isAt(s.Addr(), p.wanted[i].Address) })
	p.take(func(i int, s handover.Socket) bool { return certain(i) && fits(s.Addr(), p.wanted[i].Address) })
	p.take(func(i int, s handover.Socket) bool { return i == 0 && fits(s.Addr(), p.wanted[0].Address) })
	if len(p.sockets) == 0 {
		return nil
	}
	s := p.sockets[0]
	if len(p.wanted) == 1 && p.taken[0] == nil {
		return fmt.Errorf("%w: it listens on %s, and rgate is told to listen on %s", ErrSocket, s.Addr(), p.wanted[0].Address)
	}
	return fmt.Errorf("%w: no listener has the address %s, or the name %q: add one under `listeners`", ErrSocket, s.Addr(), s.Name)
}

// take has each listener that has no socket take the first that is its.
func (p *passing) take(its func(i int, s handover.Socket) bool) {
	for i, c := range p.wanted {
		at := slices.IndexFunc(p.sockets, func(s handover.Socket) bool { return its(i, s) })
		if p.taken[i] == nil && at >= 0 {
			p.taken[i] = New(p.sockets[at].Listener, c)
			p.sockets = slices.Delete(p.sockets, at, at+1)
		}
	}
}

// fits tells whether a socket that listens on l is one for address. Port 0, and
// a host that is no single address, mean any.
func fits(l net.Addr, address string) bool {
	if address == "" {
		return true
	}
	have, err1 := netip.ParseAddrPort(l.String())
	host, service, err2 := net.SplitHostPort(address)
	port, err3 := net.LookupPort("tcp", service)
	if err := errors.Join(err1, err2, err3); err != nil {
		return false
	}
	wanted, err := netip.ParseAddr(host)
	anywhere := err != nil || wanted.IsUnspecified()
	return (port == 0 || port == int(have.Port())) && (anywhere || wanted.Unmap() == have.Addr().Unmap())
}

// isAt tells whether a socket that listens on l is what address would open.
func isAt(l net.Addr, address string) bool {
	have := l.String()
	if config.AnyPort(address) { // then any port will do
		if host, _, err := net.SplitHostPort(have); err == nil {
			have = net.JoinHostPort(host, "0")
		}
	}
	return config.SameAddress(have, address)
}
