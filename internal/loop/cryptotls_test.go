//go:build linux

package loop

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"rgate/internal/config"
	"rgate/internal/listen"
	"rgate/internal/trial"
)

// tape is a socket of which a test knows every byte: what was put there is read, and
// there is nothing else.
type tape struct {
	in     bytes.Buffer
	out    bytes.Buffer
	writes []int
	most   int    // that a read brings; 0 for all
	fails  error  // of writes; nil for none
	wait   func() // has nothing come, for a handshake; nil is errNothing
}

func (m *tape) Read(b []byte) (int, error) {
	for m.in.Len() == 0 {
		if m.wait == nil {
			return 0, errNothing
		}
		m.wait()
	}
	if m.most > 0 {
		b = b[:min(len(b), m.most)]
	}
	return m.in.Read(b)
}

func (m *tape) Write(b []byte) (int, error) {
	if m.fails != nil {
		return 0, m.fails
	}
	m.writes = append(m.writes, len(b))
	return m.out.Write(b)
}

func (m *tape) Close() error                     { return nil }
func (m *tape) SetDeadline(time.Time) error      { return nil }
func (m *tape) SetReadDeadline(time.Time) error  { return nil }
func (m *tape) SetWriteDeadline(time.Time) error { return nil }
func (m *tape) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (m *tape) RemoteAddr() net.Addr             { return &net.TCPAddr{} }

// move gives what one wrote to the other to read.
func (m *tape) move(to *tape) {
	_, _ = m.out.WriteTo(&to.in)
	m.writes = nil
}

// secureConfig is a server's, as a listener has it.
func secureConfig(t *testing.T) *tls.Config {
	t.Helper()
	cert, key := trial.Certificate(t, t.TempDir(), "cert", "a.example")
	how, _, err := listen.OpenTLS(&config.ListenerTLS{Certificates: []config.Certificate{{Cert: cert, Key: key}}}, listen.Supply{})
	if err != nil {
		t.Fatal(err)
	}
	return how.Config()
}

// pair is both ends of a TLS connection after its handshake, which was done a step at
// a time on steppers. before is called each time that the server waits.
type pair struct {
	client, server     *tls.Conn
	toServer, toClient *tape // what each end reads
}

func newPair(t *testing.T, only func(*tls.Config), most int, before func(p *pair)) *pair {
	t.Helper()
	cfg := &tls.Config{InsecureSkipVerify: true, ServerName: "a.example"}
	only(cfg)
	p := &pair{toServer: &tape{most: most}, toClient: &tape{most: most}}
	p.client, p.server = tls.Client(p.toClient, cfg), tls.Server(p.toServer, secureConfig(t))
	client, server := newStepper(), newStepper()
	defer client.stop()
	defer server.stop()
	p.toClient.wait, p.toServer.wait = client.pause, server.pause
	var errs [2]error
	client.work = func() { errs[0] = p.client.Handshake() }
	server.work = func() { errs[1] = p.server.Handshake() }
	for done := [2]bool{}; !done[0] || !done[1]; {
		if !done[0] {
			done[0] = client.step()
			p.toClient.move(p.toServer)
		}
		if !done[1] {
			done[1] = server.step()
			if before != nil {
				before(p)
			}
			p.toServer.move(p.toClient)
		}
	}
	if err := errors.Join(errs[:]...); err != nil {
		t.Fatal(err)
	}
	p.toClient.wait, p.toServer.wait = nil, nil
	return p
}

// The loop rests on what crypto/tls does and does not promise. These hold it: where a
// later Go fails one of them, secure.go and greet.go have to be thought over.

// A read that finds nothing is no end: what is there of a record stays, and is read on.
func TestCryptoTLSReadsOn(t *testing.T) {
	for version, only := range versions {
		p := newPair(t, only, 1, nil)
		if _, err := io.WriteString(p.client, "hello"); err != nil {
			t.Fatal(err)
		}
		record := bytes.Clone(p.toClient.out.Bytes())
		p.toClient.out.Reset()
		var b [16]byte
		if _, err := p.server.Read(b[:]); err != errNothing {
			t.Fatalf("%s: with nothing: %v", version, err)
		}
		for i := range record[1:] {
			p.toServer.in.WriteByte(record[i])
			if n, err := p.server.Read(b[:]); n != 0 || err != errNothing {
				t.Fatalf("%s: after %d bytes: %d, %v", version, i+1, n, err)
			}
		}
		p.toServer.in.WriteByte(record[len(record)-1])
		if n, err := p.server.Read(b[:]); string(b[:n]) != "hello" || err != nil {
			t.Errorf("%s: %q, %v", version, b[:n], err)
		}
	}
}

// A handshake goes on wherever it had to wait, but not after an error, be it one that
// is temporary: which is why it needs a stepper.
func TestCryptoTLSHandshakes(t *testing.T) {
	for _, only := range versions {
		newPair(t, only, 1, nil) // it pauses behind each byte
	}
	s := tls.Server(&tape{}, secureConfig(t))
	if err := s.Handshake(); err != errNothing {
		t.Fatal(err)
	}
	s.NetConn().(*tape).wait = func() { t.Error("it reads again") }
	if err := s.Handshake(); err != errNothing {
		t.Errorf("the next time: %v", err)
	}
}

// A session ticket is sent before the client's Finished has come, so that nothing is
// left to carry its acknowledgement.
func TestCryptoTLSSendsNothingAfterTheClientsFinished(t *testing.T) {
	last := -1
	newPair(t, versions["1.3"], 0, func(p *pair) { last = p.toServer.out.Len() })
	if last != 0 {
		t.Errorf("%d bytes are sent: TCP_QUICKACK may not be needed any more", last)
	}
}

// Data with TLS's end behind it may come with io.EOF: in TLS 1.2, where an end can be
// told from data before it is opened.
func TestCryptoTLSReadsAnEndWithData(t *testing.T) {
	for version, only := range versions {
		p := newPair(t, only, 0, nil)
		_, _ = io.WriteString(p.client, "hello")
		_ = p.client.CloseWrite()
		p.toClient.move(p.toServer)
		var b [16]byte
		if n, err := p.server.Read(b[:]); string(b[:n]) != "hello" || (err == io.EOF) != (version == "1.2") {
			t.Errorf("%s: %q, %v", version, b[:n], err)
		}
		if n, err := p.server.Read(b[:]); n != 0 || err != io.EOF {
			t.Errorf("%s: then %d, %v", version, n, err)
		}
	}
}

// Any error of a write is the connection's last, temporary or not: so there must be none.
func TestCryptoTLSForgivesNoWrite(t *testing.T) {
	p := newPair(t, versions["1.3"], 0, nil)
	p.toServer.fails = errNothing
	_, _ = io.WriteString(p.server, "lost")
	p.toServer.fails = nil
	if _, err := io.WriteString(p.server, "x"); err == nil {
		t.Error("it goes on: the adaptor could tell that nothing was taken")
	}
}

// A record is written at once, and holds as much as it can.
func TestCryptoTLSWritesRecords(t *testing.T) {
	for version, only := range versions {
		p := newPair(t, only, 0, nil)
		p.toServer.writes = nil
		for _, size := range []int{1, 16 << 10, bulkSize} {
			_, _ = p.server.Write(make([]byte, size))
		}
		// One, one, and four of which the last is smaller.
		if n := p.toServer.writes; len(n) != 6 || n[1] < 16<<10 || n[1] > 16<<10+256 || n[2] != n[1] || n[4] != n[1] {
			t.Errorf("%s: %v", version, n)
		}
	}
}
