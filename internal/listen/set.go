package listen

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"syscall"

	"rgate/internal/config"
	"rgate/internal/handover"
)

// Set is the listeners of a process: the first, which the command line or
// `listen` places and which stays, and those under `listeners`, in their order.
type Set []*Listener

// DefaultAddress is where the first listens if nobody says otherwise.
const DefaultAddress = ":8080"

// First is the one that was there before there were others.
func (s Set) First() *Listener { return s[0] }

// Close closes what nobody serves.
func (s Set) Close() {
	for _, l := range s {
		_ = l.Close()
	}
}

// Sockets are what a successor is left of s.
func (s Set) Sockets() []handover.Socket {
	sockets := make([]handover.Socket, len(s))
	for i, l := range s {
		sockets[i] = handover.Socket{Listener: l.Listener, Name: l.Config().Name}
	}
	return sockets
}

// Change is the step from one set to the next.
type Change struct {
	Next   Set
	Opened Set // those of Next that are new: they listen, and nobody accepts from them
	Left   Set // those that are not in Next
	made   Set // those that this step opened
	config *config.Config

	// Warnings are about certificates that are served all the same.
	Warnings []config.Problem
	tls      []*TLS // of the listeners under `listeners`, in their order
}

// Change opens what cfg wants and s has not. Of spare, which were opened before
// and are not served, it takes what it can use. On an error nothing has changed.
func (s Set) Change(cfg *config.Config, spare Set, supply Supply) (*Change, error) {
	return s.change(cfg, spare, addresses(s, spare), supply)
}

// change is Change where rgate listens at held, too.
func (s Set) change(cfg *config.Config, spare Set, held []string, supply Supply) (*Change, error) {
	if err := cfg.Beside(s.First().address()); err != nil {
		return nil, err
	}
	cfg = fitting(cfg, s.First().address())
	have := slices.Concat(s[1:], spare)
	next := make(Set, len(cfg.Listeners))
	for _, is := range []func(*Listener, config.Listener) bool{same, (*Listener).isAt} {
		for i, c := range cfg.Listeners {
			at := slices.IndexFunc(have, func(l *Listener) bool { return is(l, c) })
			if next[i] == nil && at >= 0 {
				next[i] = have[at]
				have = slices.Delete(have, at, at+1)
			}
		}
	}
	ch := &Change{config: cfg}
	if err := ch.secure(next, supply); err != nil {
		return nil, err
	}
	for i, c := range cfg.Listeners {
		if next[i] != nil {
			continue
		}
		socket, err := open(c)
		if err != nil {
			ch.Undo()
			if err = explain(c, held, err); !c.Implied {
				return nil, err
			}
			ch, without := s.change(cfg.Without(c.Address), spare, held, supply)
			return ch.warn(c, err), without
		}
		next[i] = New(socket, c)
		ch.made = append(ch.made, next[i])
	}
	ch.Next = slices.Concat(s[:1], next)
	for _, l := range ch.Next {
		if !slices.Contains(s, l) {
			ch.Opened = append(ch.Opened, l)
		}
	}
	for _, l := range s {
		if !slices.Contains(ch.Next, l) {
			ch.Left = append(ch.Left, l)
		}
	}
	return ch, nil
}

// fitting is cfg without those listeners that nobody named and that cannot be
// beside the first.
func fitting(cfg *config.Config, first string) *config.Config {
	for _, l := range cfg.Listeners {
		if l.Implied && config.Overlap(first, l.Address) {
			cfg = cfg.Without(l.Address)
		}
	}
	return cfg
}

// warn adds that a listener is left out which the file does not name.
func (ch *Change) warn(c config.Listener, err error) *Change {
	if ch != nil {
		p := c.Place
		why, _ := strings.CutPrefix(err.Error(), c.Place.Place()+": ")
		p.Message, p.Hint = "plain HTTP is not redirected here: "+why, ""
		ch.Warnings = append(ch.Warnings, p)
	}
	return ch
}

// secure reads the certificates that are not served already.
func (ch *Change) secure(have Set, supply Supply) error {
	var problems []config.Problem
	ch.tls = make([]*TLS, len(have))
	for i, c := range ch.config.Listeners {
		if c.TLS == nil {
			continue
		}
		if l := have[i]; l != nil && l.TLS() != nil && l.TLS().said.Same(c.TLS) {
			ch.tls[i] = l.TLS()
			continue
		}
		t, warnings, err := OpenTLS(c.TLS, supply)
		ch.tls[i], ch.Warnings = t, append(ch.Warnings, warnings...)
		var wrong *config.Problems
		if errors.As(err, &wrong) {
			problems = append(problems, wrong.List...)
		}
	}
	if problems != nil {
		return &config.Problems{List: problems}
	}
	return nil
}

// Undo takes the step back before it is taken.
func (ch *Change) Undo() { ch.made.Close() }

// Commit puts in effect what the configuration says of listeners that stay.
func (ch *Change) Commit() {
	for i, c := range ch.config.Listeners {
		ch.Next[i+1].Configure(c)
		ch.Next[i+1].Secure(ch.tls[i])
	}
	ch.Next.lead()
}

// TLS is how the listeners of s are secured, in their order.
func (s Set) TLS() []*TLS {
	all := make([]*TLS, len(s))
	for i, l := range s {
		all[i] = l.TLS()
	}
	return all
}

// TLS is how the listeners under `listeners` will be secured.
func (ch *Change) TLS() []*TLS { return ch.tls }

// Unused are those of spare that ch has no use for.
func (ch *Change) Unused(spare Set) Set {
	return slices.DeleteFunc(slices.Clone(spare), func(l *Listener) bool { return slices.Contains(ch.Next, l) })
}

// Empty tells whether no listener comes or goes.
func (ch *Change) Empty() bool { return len(ch.Opened)+len(ch.Left) == 0 }

// same tells whether l is what c names. One with any port goes by its name alone.
func same(l *Listener, c config.Listener) bool {
	return l.Config().Name == c.Name && (config.SameAddress(l.Config().Address, c.Address) || l.isAt(c))
}

// isAt tells whether l is where c says, under whatever name.
func (l *Listener) isAt(c config.Listener) bool { return config.SameAddress(l.address(), c.Address) }

// address is where l listens, as it was said, or as it came out where nothing
// certain was.
func (l *Listener) address() string {
	if said := l.Config().Address; said != "" && !config.AnyPort(said) {
		return said
	}
	return l.Addr().String()
}

func open(c config.Listener) (net.Listener, error) {
	address := c.Address
	if host, port, err := net.SplitHostPort(address); err == nil && host == "localhost" {
		address = net.JoinHostPort("127.0.0.1", port) // asking a resolver may take its time
	}
	return net.Listen("tcp", address)
}

func addresses(sets ...Set) (all []string) {
	for _, l := range slices.Concat(sets...) {
		all = append(all, l.address())
	}
	return all
}

// explain says why c cannot be opened, and what could be done.
func explain(c config.Listener, held []string, err error) error {
	hint := ""
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		hint = " (is another program on that port?)"
		for _, address := range held {
			if config.Overlap(address, c.Address) {
				hint = fmt.Sprintf(" (rgate itself listens on %s as yet: first remove that one, by a reload of its own, or restart)", address)
			}
		}
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		hint = " (it is no address of this machine)"
	case errors.Is(err, syscall.EACCES):
		hint = " (a port below 1024 is for who may: give rgate CAP_NET_BIND_SERVICE, or take a higher one)"
	}
	cause := err
	var inner *net.OpError
	if errors.As(err, &inner) {
		cause = inner.Err // which does not name the address once more
	}
	return fmt.Errorf("%s:%d:%d: cannot listen on %s: %w%s", c.Place.File, c.Place.Line, c.Place.Column, c.Address, cause, hint)
}
