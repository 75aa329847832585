package names

import (
	"context"
	"encoding/binary"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"rgate/internal/discovery"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// server is a DNS server on loopback with what a test puts into it.
type server struct {
	conn *net.UDPConn

	mu    sync.Mutex
	away  bool                    // it answers nothing
	zone  map[string][]netip.Addr // by name without the last dot; none is NXDOMAIN
	asked map[string]int          // by name and type, "db.test. 1"
	ended bool
	peers []net.Conn // of who asks
}

func serveDNS(t *testing.T) *server {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	s := &server{conn: conn, zone: map[string][]netip.Addr{}, asked: map[string]int{}}
	done := make(chan struct{})
	go func() { defer close(done); s.run() }()
	t.Cleanup(func() { s.end(); <-done })
	return s
}

// end ends look-ups, too, which go on for seconds where nobody waits for them
// any more.
func (s *server) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	_ = s.conn.Close()
	for _, c := range s.peers {
		_ = c.Close()
	}
}

// dial is a connection to s.
func (s *server) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return nil, net.ErrClosed
	}
	var d net.Dialer
	c, err := d.DialContext(ctx, "udp", s.conn.LocalAddr().String())
	if err != nil {
		return nil, err
	}
	s.peers = append(s.peers, c)
	return impatient{c.(*net.UDPConn), s}, nil
}

func (s *server) run() {
	b := make([]byte, 1500)
	for {
		n, from, err := s.conn.ReadFromUDPAddrPort(b)
		if err != nil {
			return
		}
		if answer := s.answer(b[:n]); answer != nil {
			_, _ = s.conn.WriteToUDPAddrPort(answer, from)
		}
	}
}

// The parts of a DNS message that matter here (RFC 1035 §4).
const (
	typeA, typeAAAA = 1, 28
	headerSize      = 12
	nameError       = 3
)

// answer makes the answer to one question; nil for none.
func (s *server) answer(query []byte) []byte {
	var labels []string
	at := headerSize
	for query[at] != 0 {
		labels = append(labels, string(query[at+1:at+1+int(query[at])]))
		at += 1 + int(query[at])
	}
	at++
	kind := binary.BigEndian.Uint16(query[at:])
	name := strings.Join(labels, ".")
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked[name]++
	if s.away {
		return nil
	}
	message := append([]byte(nil), query[:at+4]...) // the header and the question
	message[2], message[3] = 0x81, 0x80             // an answer, and recursion as asked for
	binary.BigEndian.PutUint32(message[8:], 0)      // of additional records none
	addrs, known := s.zone[name]
	if !known {
		message[3] |= nameError
	}
	count := 0
	for _, ip := range addrs {
		if ip.Is4() != (kind == typeA) || kind != typeA && kind != typeAAAA {
			continue
		}
		count++
		message = append(message, 0xc0, headerSize) // the name of the question
		message = binary.BigEndian.AppendUint16(message, kind)
		message = append(message, 0, 1, 0, 0, 0, 0) // the internet, for no time
		message = binary.BigEndian.AppendUint16(message, uint16(ip.BitLen()/8))
		message = append(message, ip.AsSlice()...)
	}
	binary.BigEndian.PutUint16(message[6:], uint16(count))
	return message
}

func (s *server) put(name string, addrs ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.zone, name)
	if len(addrs) > 0 {
		s.zone[name] = nil
	}
	for _, text := range addrs {
		s.zone[name] = append(s.zone[name], netip.MustParseAddr(text))
	}
}

func (s *server) setAway(away bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.away = away
}

func (s *server) questions(name string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked[name]
}

// source is one that asks s, and is quick.
func (s *server) source(before ...Address) *Source {
	src := New(slog.New(slog.DiscardHandler), before)
	src.resolver = &net.Resolver{PreferGo: true, StrictErrors: true, Dial: s.dial}
	src.timing = timing{
		patience: 5 * time.Second, hold: 5 * time.Second,
		again: 20 * time.Millisecond, backoff: 10 * time.Millisecond, ceiling: 40 * time.Millisecond,
		dial: 5 * time.Second, absences: 3, atOnce: 8,
	}
	return src
}

// impatient is a connection that is waited on for a moment at most while the
// server is away. A look-up that nobody waits for any more goes on for seconds
// otherwise.
type impatient struct {
	*net.UDPConn
	server *server
}

func (c impatient) SetDeadline(t time.Time) error {
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	if c.server.away {
		t = time.Now().Add(100 * time.Millisecond)
	}
	return c.UDPConn.SetDeadline(t)
}

// watching is a source that is watched for the length of a test.
type watching struct {
	*Source
	t     *testing.T
	views chan discovery.View
}

func (s *Source) watched(t *testing.T, names ...string) *watching {
	t.Helper()
	w := &watching{Source: s, t: t, views: make(chan discovery.View, 1000)}
	s.Select(selectorsOf(names...))
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = s.Watch(ctx, func(v discovery.View) { w.views <- v }) }()
	t.Cleanup(func() { cancel(); <-done })
	return w
}

func selectorsOf(names ...string) []discovery.Selector {
	return []discovery.Selector{{Backend: "b", Names: names}}
}

// next is the next view.
func (w *watching) next() discovery.View {
	w.t.Helper()
	select {
	case v := <-w.views:
		return v
	case <-time.After(20 * time.Second):
		w.t.Fatal("no view came")
		return discovery.View{}
	}
}

// until is the first view from now on whose endpoints are these: "name
// address", and "name: reason" for what is left out.
func (w *watching) until(want ...string) discovery.View {
	w.t.Helper()
	deadline := time.After(20 * time.Second)
	var got []string
	for {
		select {
		case v := <-w.views:
			if got = list(v); strings.Join(got, "\n") == strings.Join(want, "\n") {
				return v
			}
		case <-deadline:
			w.t.Fatalf("last: %q\nwant: %q", got, want)
		}
	}
}

func list(v discovery.View) (all []string) {
	for _, c := range v.Candidates {
		if c.Usable() {
			all = append(all, c.Name+" "+c.Address)
		} else {
			all = append(all, c.Name+": "+c.Reason)
		}
	}
	return all
}
