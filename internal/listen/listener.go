package listen

import (
	"net"
	"sync"
	"sync/atomic"
	"time"

	"rgate/internal/config"
)

// Listener is a socket that takes traffic. Engines accept from it, several of
// them at once, and each connection knows the one that it came by.
type Listener struct {
	net.Listener
	config   atomic.Pointer[config.Listener]
	tls      atomic.Pointer[TLS]
	redirect atomic.Pointer[Redirect]
	linger   atomic.Int64 // of its quiet connections, in nanoseconds; 0 while it does not drain
	doors    atomic.Int64 // who accepts from it
	held     atomic.Int64 // by these, and by its connections
	once     [2]sync.Once
	shut     chan struct{}
	gone     chan struct{}
}

// New makes a listener of a socket.
func New(socket net.Listener, c config.Listener) *Listener {
	l := &Listener{Listener: socket, shut: make(chan struct{}), gone: make(chan struct{})}
	l.Configure(c)
	return l
}

// Config is what the file says of l at the moment.
func (l *Listener) Config() *config.Listener { return l.config.Load() }

// Configure puts c in effect, for requests from now on.
func (l *Listener) Configure(c config.Listener) { l.config.Store(&c) }

// TLS is how the connections that l takes from now on are secured; nil for none.
func (l *Listener) TLS() *TLS { return l.tls.Load() }

// Secure puts t in effect. Connections stay as they are.
func (l *Listener) Secure(t *TLS) { l.tls.Store(t) }

// Drain says that l is to go: the next answer on each of its connections is the
// last, and a quiet one ends after linger. It may be said again.
func (l *Listener) Drain(linger time.Duration) {
	l.linger.CompareAndSwap(0, int64(max(linger, 1)))
}

// Draining tells whether l is to go.
func (l *Listener) Draining() bool { return l.linger.Load() != 0 }

// Linger is how long a quiet connection of a draining listener is kept.
func (l *Listener) Linger() time.Duration { return time.Duration(l.linger.Load()) }

// Attend is for who begins to accept from l, and Leave for when it has closed
// what it did so by.
func (l *Listener) Attend() {
	l.doors.Add(1)
	l.Hold()
}

// Leave takes back an Attend.
func (l *Listener) Leave() {
	if l.doors.Add(-1) == 0 {
		l.once[0].Do(func() { close(l.shut) })
	}
	l.Release()
}

// Shut is closed once nobody accepts from l any more, so that another can
// listen where it did.
func (l *Listener) Shut() <-chan struct{} { return l.shut }

// Hold is for each connection that comes of l, which Releases it in the end.
func (l *Listener) Hold() { l.held.Add(1) }

// Release takes back a Hold.
func (l *Listener) Release() {
	if l.held.Add(-1) == 0 {
		l.once[1].Do(func() { close(l.gone) })
	}
}

// Gone is closed once nobody accepts from l any more, and none of its
// connections is left.
func (l *Listener) Gone() <-chan struct{} { return l.gone }
