//go:build linux

package loop

import (
	"runtime"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"rgate/internal/config"
	"rgate/internal/upstream"
)

// loop is one thread's connections and everything they need.
type loop struct {
	engine *Engine
	epfd   int
	wakefd int
	doors  []*door // the listeners that it accepts from

	now    time.Time
	cfg    *config.Config // of the table of the moment
	wheel  wheel
	socks  []entry // by descriptor
	gen    int32
	again  []*conn // to be driven on, though no event will come
	greets []*conn // whose handshakes can go on
	pools  map[*upstream.Endpoint]*pool
	turn   turn
	mem    memories
	works  []*work
	// steppers are those that carry no handshake.
	steppers []*stepper
	date     []byte
	dateAt   int64
	conns    int
	// refused are those of conns above the limits.
	refused int
	// lingering are those in phaseLinger.
	lingering int

	quiesced  bool      // it accepts nothing more
	restUntil time.Time // when to accept again, after running out of descriptors
	// complained is when that was logged.
	complained time.Time

	mu     sync.Mutex
	posted []func()
	opened []*door // to be among doors
	woken  []*wait // whose jobs are done
	spare  []*wait // memory for woken, while those before are looked at
	ended  bool
}

// entry says whose a descriptor is. gen tells apart an event of a descriptor
// that was closed and given out again.
type entry struct {
	gen    int32
	client *conn
	origin *origin
}

const tagListen, tagWake = -1, -2

func newLoop(e *Engine) (*loop, error) {
	l := &loop{engine: e, epfd: -1, wakefd: -1, now: time.Now(), pools: map[*upstream.Endpoint]*pool{}}
	l.wheel.start(l.now)
	var err error
	if l.epfd, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return nil, err
	}
	if l.wakefd, err = unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC); err != nil {
		l.closeFDs()
		return nil, err
	}
	ev := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(l.wakefd), Pad: tagWake}
	if err = unix.EpollCtl(l.epfd, unix.EPOLL_CTL_ADD, l.wakefd, &ev); err != nil {
		l.closeFDs()
		return nil, err
	}
	return l, nil
}

func (l *loop) closeFDs() {
	for _, fd := range []int{l.epfd, l.wakefd} {
		if fd >= 0 {
			_ = unix.Close(fd)
		}
	}
	for _, d := range append(l.doors, l.opened...) {
		d.close()
	}
	l.doors, l.opened = nil, nil
}

// post has f run in the loop; f is dropped once the loop has ended.
func (l *loop) post(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.ended {
		l.posted = append(l.posted, f)
		l.rouse()
	}
}

// rouse has the loop look at what was posted and woken, of which one more is
// there now; mu is held.
func (l *loop) rouse() {
	if len(l.posted)+len(l.woken) == 1 {
		_, _ = unix.Write(l.wakefd, []byte{1, 0, 0, 0, 0, 0, 0, 0})
	}
}

// attend sees to what was posted and woken.
func (l *loop) attend() {
	var b [8]byte
	_, _ = unix.Read(l.wakefd, b[:])
	l.mu.Lock()
	posted, woken := l.posted, l.woken
	l.posted, l.woken, l.spare = nil, l.spare[:0], nil
	l.mu.Unlock()
	for _, f := range posted {
		f()
	}
	for _, w := range woken {
		l.resume(w)
	}
	if clear(woken); cap(woken) <= maxFree {
		l.spare = woken
	}
}

// run is the loop itself. It ends once it is stopping and has no connections.
func (l *loop) run() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	fire := l.fire // once: a method value is an allocation
	events := make([]unix.EpollEvent, 256)
	l.cfg = l.engine.gate.Table().Config
	for !l.quiesced || l.conns > 0 {
		n := poll(l.epfd, events)
		if n == 0 && len(l.again)+len(l.greets) == 0 {
			n, _ = unix.EpollWait(l.epfd, events, int(tick/time.Millisecond))
		}
		l.now = time.Now()
		l.cfg = l.engine.gate.Table().Config
		n, l.turn = max(n, 0), turn{round: l.turn.round + 1}
		// First what endpoints said on idle connections: no client's request must
		// go on one of these.
		for i := range n {
			l.weed(&events[i])
		}
		for i := range n {
			l.turn.handled++
			l.handle(&events[i])
		}
		for rest := len(l.again); rest > 0; rest-- {
			c := l.again[0]
			l.again = append(l.again[:0], l.again[1:]...)
			c.queued = false
			l.turn.handled++
			l.drive(c)
		}
		l.greetSome()
		l.wheel.advance(l.now, fire)
		l.endRest()
	}
	l.endSteppers()
	l.end()
}

func (l *loop) end() {
	for _, p := range l.pools {
		l.empty(p)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = true
	l.closeFDs()
}

func (l *loop) handle(ev *unix.EpollEvent) {
	switch ev.Pad {
	case tagListen:
		if d := l.door(ev.Fd); d != nil {
			l.accept(d)
		}
		return
	case tagWake:
		l.attend()
		return
	}
	if int(ev.Fd) >= len(l.socks) {
		return
	}
	switch s := l.socks[ev.Fd]; {
	case s.gen != ev.Pad:
	case s.client != nil:
		s.client.note(ev.Events)
		if l.gone(s.client) {
			return
		}
		if s.client.tls != nil && l.stir(s.client) {
			return
		}
		l.drive(s.client)
	case s.origin != nil:
		s.origin.note(ev.Events)
		if c := s.origin.client; c != nil {
			l.drive(c)
		} else if s.origin.readable || s.origin.broken {
			l.lost(s.origin)
		}
	}
}

// weed closes an idle connection that an event tells of. The event then is
// nobody's any more.
func (l *loop) weed(ev *unix.EpollEvent) {
	if ev.Pad < 0 || int(ev.Fd) >= len(l.socks) {
		return
	}
	s := l.socks[ev.Fd]
	if s.gen != ev.Pad || s.origin == nil || s.origin.client != nil {
		return
	}
	if s.origin.note(ev.Events); s.origin.readable || s.origin.broken {
		l.lost(s.origin)
	}
}

// watch registers a descriptor, edge-triggered and for good.
func (l *loop) watch(fd int, c *conn, o *origin) error {
	for len(l.socks) <= fd {
		l.socks = append(l.socks, entry{})
	}
	l.gen = (l.gen + 1) & 0x7fffffff
	l.socks[fd] = entry{gen: l.gen, client: c, origin: o}
	ev := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLOUT | unix.EPOLLRDHUP | unix.EPOLLET&0xffffffff, Fd: int32(fd), Pad: l.gen}
	return unix.EpollCtl(l.epfd, unix.EPOLL_CTL_ADD, fd, &ev)
}

// unwatch forgets a descriptor that is about to be closed.
func (l *loop) unwatch(fd int) { l.socks[fd] = entry{} }

// currentDate is the Date field's value, made once a second.
func (l *loop) currentDate() []byte {
	if s := l.now.Unix(); s != l.dateAt {
		l.dateAt = s
		l.date = l.now.UTC().AppendFormat(l.date[:0], "Mon, 02 Jan 2006 15:04:05 GMT")
	}
	return l.date
}

// remove takes a descriptor out of epoll that will live on elsewhere.
func (l *loop) remove(fd int) { _ = unix.EpollCtl(l.epfd, unix.EPOLL_CTL_DEL, fd, nil) }
