//go:build linux

package rig

import (
	"crypto/tls"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"rgate/internal/config"
	"rgate/internal/listen"
	"rgate/internal/rig/ends"
	"rgate/internal/trial"
)

// overTLS is what the name of a way ends with where it has TLS.
const overTLS = " over TLS"

// Ways are the engines, each with and without TLS before it.
var Ways = func() (all []string) {
	for _, kind := range Engines {
		all = append(all, kind, kind+overTLS)
	}
	return all
}()

// Secure tells whether a way has TLS.
func Secure(way string) bool { return strings.HasSuffix(way, overTLS) }

// Name is that of the certificate over TLS, which does for other hosts too.
const Name = "rig.test"

// secured are the addresses at which TLS is spoken.
var secured sync.Map

// way tells the engine of a way, and how its listeners are.
func way(t testing.TB, name string) (engine string, said config.Listener, over *listen.TLS) {
	t.Helper()
	engine, with := strings.CutSuffix(name, overTLS)
	if !with {
		return engine, config.Listener{}, nil
	}
	cert, key := trial.Certificate(t, t.TempDir(), "rig", Name)
	said.TLS = &config.ListenerTLS{Certificates: []config.Certificate{{Cert: cert, Key: key, Default: true}}}
	over, _, err := listen.OpenTLS(said.TLS, listen.Supply{})
	if err != nil {
		t.Fatal(err)
	}
	return engine, said, over
}

// listener is that of a socket, secured where the way is.
func (r *Rig) listener(t testing.TB, socket net.Listener) *listen.Listener {
	l := listen.New(socket, r.said)
	if r.over != nil {
		address := socket.Addr().String()
		l.Secure(r.over)
		secured.Store(address, true)
		t.Cleanup(func() { secured.Delete(address) })
	}
	return l
}

// Conn is a client's connection, which can end its sending side alone.
type Conn interface {
	net.Conn
	CloseWrite() error
	TCP() *net.TCPConn // below TLS, if any
}

// Dial connects to a rig as its way is: where that has TLS, after a handshake.
func Dial(d *net.Dialer, address string) (Conn, error) {
	c, err := d.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	tcp := c.(*net.TCPConn)
	if _, with := secured.Load(address); !with {
		return plain{tcp}, nil
	}
	over := tls.Client(c, &tls.Config{ServerName: Name, InsecureSkipVerify: true})
	_ = c.SetDeadline(time.Now().Add(ends.Patience))
	if err := over.Handshake(); err != nil {
		_ = c.Close()
		return nil, err
	}
	return private{over, tcp}, c.SetDeadline(time.Time{})
}

type plain struct{ *net.TCPConn }

func (p plain) TCP() *net.TCPConn { return p.TCPConn }

// private is a client's connection with TLS.
type private struct {
	*tls.Conn
	tcp *net.TCPConn
}

func (p private) TCP() *net.TCPConn { return p.tcp }

// CloseWrite says that nothing more comes, to TLS and to TCP.
func (p private) CloseWrite() error {
	if err := p.Conn.CloseWrite(); err != nil {
		return err
	}
	return p.tcp.CloseWrite()
}
