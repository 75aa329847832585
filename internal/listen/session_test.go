package listen

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rgate/internal/config"
	"rgate/internal/trial"
)

// listener is a TLS for some hosts.
func listener(t *testing.T, supply Supply, auth *config.ClientAuth, hosts ...string) *TLS {
	t.Helper()
	cert, key := trial.Certificate(t, t.TempDir(), "c", hosts...)
	s, _, err := OpenTLS(&config.ListenerTLS{Certificates: []config.Certificate{{Cert: cert, Key: key}}, ClientAuth: auth}, supply)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// caller is a client that resumes sessions.
type caller struct{ tls.Config }

func newCaller(version uint16, own ...tls.Certificate) *caller {
	return &caller{tls.Config{InsecureSkipVerify: true, MinVersion: version, MaxVersion: version, ClientSessionCache: tls.NewLRUClientSessionCache(0), Certificates: own}}
}

// as is c with the same sessions under another name: what it has of one it
// offers to all.
type oneSession struct{ tls.ClientSessionCache }

func (o oneSession) Get(string) (*tls.ClientSessionState, bool) { return o.ClientSessionCache.Get("") }
func (o oneSession) Put(_ string, s *tls.ClientSessionState)    { o.ClientSessionCache.Put("", s) }

// call connects to s and tells what s has seen.
func (c *caller) call(t *testing.T, s *TLS, name string) (tls.ConnectionState, error) {
	t.Helper()
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	var state tls.ConnectionState
	served := make(chan error, 1)
	go func() {
		conn, err := socket.Accept()
		if err != nil {
			served <- err
			return
		}
		defer conn.Close()
		secure := tls.Server(conn, s.Config())
		if err = secure.Handshake(); err == nil {
			state = secure.ConnectionState()
			_, err = io.WriteString(secure, "x") // the ticket comes with it
		}
		served <- err
	}()
	c.ServerName = name
	conn, err := tls.Dial("tcp", socket.Addr().String(), &c.Config)
	if err == nil {
		_, err = io.ReadFull(conn, make([]byte, 1))
		_ = conn.Close()
	}
	if other := <-served; err == nil {
		err = other
	}
	return state, err
}

// resumes tells whether c goes on with a session.
func (c *caller) resumes(t *testing.T, s *TLS, name string) bool {
	t.Helper()
	state, err := c.call(t, s, name)
	if err != nil {
		t.Fatal(err)
	}
	return state.DidResume
}

var versions = map[string]uint16{"1.2": tls.VersionTLS12, "1.3": tls.VersionTLS13}

func TestSessionsAreResumed(t *testing.T) {
	for name, version := range versions {
		t.Run(name, func(t *testing.T) {
			ring := NewRing()
			s := listener(t, Supply{Tickets: ring}, nil, "a.example", "b.example")
			c := newCaller(version)
			if c.resumes(t, s, "a.example") || !c.resumes(t, s, "a.example") || !c.resumes(t, s, "a.example") {
				t.Error("a session is not resumed, or out of nothing")
			}
			ring.turn(time.Now().Add(ticketKeyTurn))
			s.renew()
			if !c.resumes(t, s, "a.example") {
				t.Error("not with the key before")
			}
			if other := listener(t, Supply{Tickets: ring}, nil, "a.example"); !c.resumes(t, other, "a.example") {
				t.Error("not on another listener with the same keys")
			}
			heir := NewRing()
			heir.Inherit(ring.Bequest())
			if other := listener(t, Supply{Tickets: heir}, nil, "a.example"); !c.resumes(t, other, "a.example") {
				t.Error("not with inherited keys")
			}
			if other := listener(t, Supply{Tickets: NewRing()}, nil, "a.example"); c.resumes(t, other, "a.example") {
				t.Error("with keys that nobody has shared")
			}
		})
	}
}

// A session is for the name that it was made for, and no longer than that has a
// certificate.
func TestSessionsAreForAName(t *testing.T) {
	for name, version := range versions {
		t.Run(name, func(t *testing.T) {
			ring := NewRing()
			s := listener(t, Supply{Tickets: ring}, nil, "a.example", "b.example")
			c := newCaller(version)
			c.ClientSessionCache = oneSession{c.ClientSessionCache}
			c.resumes(t, s, "a.example")
			if c.resumes(t, s, "b.example") {
				t.Error("a session for another name is resumed")
			}
			if _, err := c.call(t, listener(t, Supply{Tickets: ring}, nil, "c.example"), "b.example"); err == nil || !strings.Contains(err.Error(), "unrecognized name") {
				t.Errorf("where the name has no certificate: %v", err)
			}
		})
	}
}

// A session does not go on where more is demanded of clients, or other clients are
// trusted; and where they are asked for as much, it still knows the client.
func TestSessionsKeepToTheirTrust(t *testing.T) {
	dir := t.TempDir()
	one, two := trial.NewAuthority(t, dir, "one"), trial.NewAuthority(t, dir, "two")
	auth := func(a *trial.Authority, mode string) *config.ClientAuth {
		return &config.ClientAuth{CA: a.File, Mode: mode}
	}
	for name, version := range versions {
		t.Run(name, func(t *testing.T) {
			supply := Supply{Tickets: NewRing()}
			all := map[string]*TLS{
				"none":            listener(t, supply, nil, "a.example"),
				"one, required":   listener(t, supply, auth(one, config.ClientAuthRequire), "a.example"),
				"one, requested":  listener(t, supply, auth(one, config.ClientAuthRequest), "a.example"),
				"two, required":   listener(t, supply, auth(two, config.ClientAuthRequire), "a.example"),
				"two, requested":  listener(t, supply, auth(two, config.ClientAuthRequest), "a.example"),
				"again, required": listener(t, supply, auth(one, config.ClientAuthRequire), "a.example"),
			}
			client := one.Sign(t, &x509.Certificate{Subject: pkix.Name{CommonName: "me"}})
			for from, a := range all {
				for to, b := range all {
					c := newCaller(version, client)
					if _, err := c.call(t, a, "a.example"); err != nil {
						if !strings.HasPrefix(from, "two") {
							t.Errorf("%s: %v", from, err)
						}
						continue
					}
					if strings.HasPrefix(from, "none") {
						c.Certificates = nil // only the session could let it in
					}
					state, err := c.call(t, b, "a.example")
					same := from == to || strings.HasSuffix(from, "required") && strings.HasSuffix(to, "required") && !strings.HasPrefix(to, "two")
					switch {
					case state.DidResume != same:
						t.Errorf("from %q to %q: resumed %v", from, to, state.DidResume)
					case same && err == nil && from != "none" && from != "two, requested" && (len(state.VerifiedChains) == 0 || state.PeerCertificates[0].Subject.CommonName != "me"):
						t.Errorf("from %q to %q: the client is not known", from, to)
					case strings.HasPrefix(from, "none") && strings.HasSuffix(to, "required") && err == nil:
						t.Errorf("from %q to %q: let in", from, to)
					}
				}
			}
		})
	}
}

// What the file of authorities says no more holds for resumed sessions, too.
func TestSessionsEndWithTheirAuthority(t *testing.T) {
	dir := t.TempDir()
	one := trial.NewAuthority(t, dir, "ca")
	client := one.Sign(t, &x509.Certificate{Subject: pkix.Name{CommonName: "me"}})
	s := listener(t, Supply{Tickets: NewRing()}, &config.ClientAuth{CA: one.File, Mode: config.ClientAuthRequire}, "a.example")
	c := newCaller(tls.VersionTLS13, client)
	if c.resumes(t, s, "a.example") || !c.resumes(t, s, "a.example") {
		t.Fatal("it is not resumed")
	}
	ctx, stop := context.WithCancel(t.Context())
	told, ended := make(chan bool, 1), make(chan struct{})
	go func() {
		defer close(ended)
		s.WatchClients(ctx, time.Millisecond, tellTaken(told))
	}()
	trial.NewAuthority(t, dir, "ca") // another of the same name
	if !<-told {
		t.Error("it was not taken")
	}
	stop()
	<-ended
	if _, err := c.call(t, s, "a.example"); err == nil {
		t.Error("a client whom nobody vouches for any more was let in")
	}
}

func TestRing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := NewRing()
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		go r.Turn(ctx)
		first, sealed := r.Keys()[0], map[[32]byte]time.Time{}
		for range 40 {
			keys := r.Keys()
			if _, before := sealed[keys[0]]; before {
				t.Error("a key seals again")
			}
			sealed[keys[0]] = time.Now()
			for _, key := range keys {
				if age := time.Since(sealed[key]); age >= ticketLife+ticketKeyTurn {
					t.Errorf("a key is kept for %v", age)
				}
			}
			if time.Since(sealed[first]) < ticketLife+ticketKeyTurn && keys[len(keys)-1] != first {
				t.Errorf("the first key is forgotten after %v", time.Since(sealed[first]))
			}
			changed := r.Changed()
			time.Sleep(ticketKeyTurn - 2*time.Second)
			synctest.Wait()
			select {
			case <-changed:
				t.Error("keys change too early")
			default:
			}
			<-changed
			time.Sleep(time.Second)
		}
		if len(r.Keys()) > maxTicketKeys {
			t.Errorf("%d keys", len(r.Keys()))
		}
	})
}

// What makes no sense is not inherited, and what is, is neither used for longer nor
// forgotten sooner.
func TestRingInherits(t *testing.T) {
	now := time.Now()
	key := func(c byte, age time.Duration) TicketKey {
		return TicketKey{Secret: []byte(strings.Repeat(string(c), 32)), Made: now.Add(-age).Unix()}
	}
	r := NewRing()
	own := r.Keys()[0]
	r.Inherit([]TicketKey{{Secret: []byte("short"), Made: now.Unix()}})
	if keys := r.Keys(); len(keys) != 1 || keys[0] != own {
		t.Error("nonsense is taken")
	}
	r.Inherit([]TicketKey{key('a', time.Hour), key('b', 100*time.Hour), key('c', 300*time.Hour)})
	if keys := r.Keys(); len(keys) != 2 || keys[0][0] != 'a' || keys[1][0] != 'b' {
		t.Errorf("%d keys", len(keys))
	}
	r.Inherit([]TicketKey{key('a', ticketKeyTurn+time.Hour)})
	if keys := r.Keys(); len(keys) != 2 || keys[1][0] != 'a' {
		t.Error("a key that is too old seals on")
	}
	r.Inherit([]TicketKey{key('a', -time.Hour)})
	if keys := r.Keys(); len(keys) != 2 || keys[1][0] != 'a' {
		t.Error("a key of the future seals on")
	}
	var many []TicketKey
	for i := range 100 {
		many = append(many, key(byte('A'+i%50), time.Duration(i)*time.Minute))
	}
	if r.Inherit(many); len(r.Keys()) > maxTicketKeys {
		t.Errorf("%d keys", len(r.Keys()))
	}
	if text := fmt.Sprint(len(r.Bequest())); text == "0" {
		t.Error("nothing is left to a successor")
	}
}
