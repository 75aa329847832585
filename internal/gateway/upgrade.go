package gateway

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync/atomic"
	"time"

	"rgate/internal/admin"
	"rgate/internal/handover"
	"rgate/internal/names"
)

const (
	// upgradeLimit is how long a new process may take until it serves.
	upgradeLimit = time.Minute
	// takeOverPatience is how long a new process waits to know the endpoints
	// before it gives up. It is shorter, so that the reason is told.
	takeOverPatience = 45 * time.Second
	// hearOut is how long an idle client connection is kept after an upgrade.
	// The longer, the more of them are not closed but told to close, with the
	// answer to their next request.
	hearOut = 10 * time.Second
)

// succession is the replacement of this process by a new one.
type succession struct {
	turn chan struct{} // holds a token while an upgrade is under way
	heir atomic.Int64  // the process that serves now; 0 for this one
	done chan struct{} // closed once there is an heir
}

func newSuccession() *succession {
	return &succession{turn: make(chan struct{}, 1), done: make(chan struct{})}
}

// close lets no upgrade begin any more, and returns once none is under way.
func (s *succession) close() { s.turn <- struct{}{} }

// Upgrade starts the program anew, from what its file is now, and hands over
// the sockets. It returns the process that serves from then on, while this one
// lets what is in flight end and then returns from Run. On an error this
// process serves on as if nothing had been.
func (g *Gateway) Upgrade() (pid int, err error) {
	select {
	case g.succession.turn <- struct{}{}:
		pid, err = g.upgrade()
		<-g.succession.turn
	default:
		err = errors.New("another one is under way")
		if g.leaving.Load() {
			err = g.whyLeaving()
		}
	}
	if err != nil {
		g.log.Error("no upgrade: this process goes on as before; mend what is wrong and upgrade again", "error", err)
		return 0, fmt.Errorf("cannot upgrade: %w", err)
	}
	return pid, nil
}

func (g *Gateway) whyLeaving() error {
	if heir := g.succession.heir.Load(); heir != 0 {
		return fmt.Errorf("process %d has taken over from this one", heir)
	}
	return errors.New("this process is about to end")
}

// upgrade is called with the turn. It may be called before this process serves:
// whoever upgrades twice in a row can reach the heir while it still takes over.
func (g *Gateway) upgrade() (pid int, err error) {
	if g.options.Program == nil {
		return 0, errors.New("this gateway is part of another program")
	}
	select {
	case <-g.serves:
	case <-g.life.Done():
	}
	if g.succession.heir.Load() != 0 || g.life.Err() != nil {
		return 0, g.whyLeaving()
	}
	if err := g.inherited.Replaceable(); err != nil {
		return 0, err
	}
	g.log.Info("an upgrade begins", "program", g.options.Program.Path)
	note, sockets := g.bequeath()
	if l := g.adminSocket(); l != nil {
		sockets = append(sockets, handover.Socket{Listener: l})
	}
	program := *g.options.Program
	program.Speak, program.Heed = g.speak, g.heed
	pid, err = program.Start(g.life, upgradeLimit, note, sockets...)
	if err != nil {
		g.keepOn()
		return 0, err
	}
	g.options.Supervisor.Succeeded(pid)
	g.succession.heir.Store(int64(pid))
	close(g.succession.done)
	return pid, nil
}

// yield leaves everything new to the heir. A command that comes now reaches it.
func (g *Gateway) yield() {
	g.ownSocket(false)
	g.closeSocket()
	g.log.Info("a new process has taken over", "pid", os.Getpid(), "new_pid", g.succession.heir.Load())
}

// bequest is what a process leaves to the one after it, besides sockets.
type bequest struct {
	Held held `json:"held,omitempty"` // containers drained by hand
	Lent bool `json:"lent,omitempty"` // the admin socket belongs to the service manager
	// Socket is the file of the admin socket, which the last process removes.
	Socket admin.File `json:"socket,omitzero"`
	// Names are the addresses of names, for where the resolver is away just now.
	Names []names.Address `json:"names,omitempty"`
}

// maxNote is less than what the environment of a process can hold in one piece.
const maxNote = 100_000

// bequeath is the note to the successor, and the sockets that take traffic.
// Until keepOn, nothing changes any more of what is in it, and no socket comes
// or goes.
func (g *Gateway) bequeath() (text string, sockets []handover.Socket) {
	b := bequest{Lent: g.lent, Socket: g.adminFile(), Names: names.Addresses(g.gate.Table().Views)}
	g.do(func(o *owner) {
		b.Held, o.bequeathed = o.held, true
		sockets = slices.Concat(o.listeners, o.pending.opened()).Sockets()
	})
	note, _ := json.Marshal(b) // cannot fail: it is plain data
	if len(note) > maxNote {
		b.Names = nil // they can be asked for anew
		note, _ = json.Marshal(b)
	}
	return string(note), sockets
}

// keepOn is for a process whose successor did not come to serve.
func (g *Gateway) keepOn() { g.do(func(o *owner) { o.bequeathed = false }) }

// readBequest reads what the predecessor left. What an unlike version wrote is
// as good as nothing.
func readBequest(note string) (b bequest) {
	if json.Unmarshal([]byte(note), &b) != nil {
		return bequest{}
	}
	return b
}
