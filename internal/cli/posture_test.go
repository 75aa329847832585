package cli

import (
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"slices"
	"testing"
	"time"
)

// Extensions of a hello, by RFC 6066, 8422, 8446, 7627, 7301 and 5746.
const (
	extName, extGroups, extPoints, extSignatures, extProtocols = 0, 10, 11, 13, 16
	extHeartbeat, extMaster, extVersions, extRenegotiation     = 15, 23, 43, 0xff01
)

// Alerts (RFC 8446 §6).
const (
	alertHandshakeFailure, alertIllegalParameter, alertProtocolVersion = 40, 47, 70
	alertFallback, alertUnrecognizedName, alertNoProtocol              = 86, 112, 120
)

// hello is a ClientHello (RFC 8446 §4.1.2) of whatever kind.
type hello struct {
	version     uint16
	suites      []uint16
	compression []byte // nil for none
	session     []byte
	extensions  map[uint16][]byte // besides or in place of those that everyone sends; nil for one that is not sent
}

// vector is b with its length before it, in size bytes.
func vector(size int, b []byte) []byte {
	length := make([]byte, 4)
	binary.BigEndian.PutUint32(length, uint32(len(b)))
	return append(length[4-size:], b...)
}

func numbers(all ...uint16) (b []byte) {
	for _, n := range all {
		b = binary.BigEndian.AppendUint16(b, n)
	}
	return b
}

func nameExtension(name string) []byte {
	return vector(2, append([]byte{0}, vector(2, []byte(name))...))
}

// bytes is the hello in a record.
func (h hello) bytes() []byte {
	extensions := map[uint16][]byte{
		extName: nameExtension("first.example"), extGroups: vector(2, numbers(29, 23)), extPoints: vector(1, []byte{0}),
		extSignatures: vector(2, numbers(0x0403, 0x0804, 0x0401)),
	}
	for id, b := range h.extensions {
		if extensions[id] = b; b == nil {
			delete(extensions, id)
		}
	}
	var list []byte
	for id, b := range extensions {
		list = append(append(list, numbers(id)...), vector(2, b)...)
	}
	if h.compression == nil {
		h.compression = []byte{0}
	}
	body := append(numbers(h.version), bytes.Repeat([]byte{7}, 32)...)
	body = append(body, vector(1, h.session)...)
	body = append(body, vector(2, numbers(h.suites...))...)
	body = append(body, vector(1, h.compression)...)
	body = append(body, vector(2, list)...)
	return append([]byte{22, 3, 1}, vector(2, append([]byte{1}, vector(3, body)...))...)
}

// serverHello is what a server says to a hello: an alert, or else a ServerHello.
type serverHello struct {
	alert       int // 0 for none
	version     uint16
	random      []byte
	session     []byte
	suite       uint16
	compression byte
	extensions  map[uint16][]byte
}

// greet says b at address.
func greet(t *testing.T, address string, b []byte) (a serverHello) {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(patience))
	if _, err := c.Write(b); err != nil {
		t.Fatal(err)
	}
	head := make([]byte, 5)
	if _, err := io.ReadFull(c, head); err != nil {
		t.Fatal(err)
	}
	record := make([]byte, binary.BigEndian.Uint16(head[3:]))
	if _, err := io.ReadFull(c, record); err != nil {
		t.Fatalf("after %v: %v", head, err)
	}
	switch {
	case head[0] == 21 && len(record) == 2 && record[0] == 2:
		return serverHello{alert: int(record[1])}
	case head[0] != 22 || len(record) < 40 || record[0] != 2:
		t.Fatalf("the server says %x %x", head, record)
	}
	b = record[4:]
	cut := func(n int) (part []byte) {
		part, b = b[:n], b[n:]
		return part
	}
	a = serverHello{version: binary.BigEndian.Uint16(cut(2)), random: cut(32), extensions: map[uint16][]byte{}}
	a.session = cut(int(cut(1)[0]))
	a.suite, a.compression = binary.BigEndian.Uint16(cut(2)), cut(1)[0]
	if len(b) > 2 {
		for b = cut(2 + int(binary.BigEndian.Uint16(b)))[2:]; len(b) > 0; {
			id := binary.BigEndian.Uint16(cut(2))
			a.extensions[id] = cut(int(binary.BigEndian.Uint16(cut(2))))
		}
	}
	return a
}

const goodSuite = 0xc02b // ECDHE-ECDSA with AES-128-GCM

// What is offered and what is refused is what docs/tls.md says, whatever a client
// tries.
func TestPosture(t *testing.T) {
	for _, engine := range []string{"standard", "loop"} {
		t.Run(engine, func(t *testing.T) {
			_, secure := spawnSecured(t, secured(engine, echo(t)))
			at := "127.0.0.1:" + secure.port
			refused(t, at)
			chosen(t, at)
			negotiated(t, at)
		})
	}
}

// refused is what ends with an alert.
func refused(t *testing.T, at string) {
	t.Helper()
	for name, test := range map[string]struct {
		hello hello
		alert int
	}{
		"SSL 3.0":           {hello{version: 0x300, suites: []uint16{goodSuite, 0x2f}}, alertProtocolVersion},
		"TLS 1.0":           {hello{version: 0x301, suites: []uint16{goodSuite, 0xc009, 0x2f}}, alertProtocolVersion},
		"TLS 1.1":           {hello{version: 0x302, suites: []uint16{goodSuite, 0xc009, 0x2f}}, alertProtocolVersion},
		"TLS 1.1, listed":   {hello{version: 0x303, suites: []uint16{goodSuite}, extensions: map[uint16][]byte{extVersions: vector(1, numbers(0x302, 0x301))}}, alertProtocolVersion},
		"a fallback":        {hello{version: 0x303, suites: []uint16{goodSuite, 0x5600}}, alertFallback},
		"compression alone": {hello{version: 0x303, suites: []uint16{goodSuite}, compression: []byte{1}}, alertIllegalParameter},
		"another's name":    {hello{version: 0x303, suites: []uint16{goodSuite}, extensions: map[uint16][]byte{extName: nameExtension("other.example")}}, alertUnrecognizedName},
		"another protocol":  {hello{version: 0x303, suites: []uint16{goodSuite}, extensions: map[uint16][]byte{extProtocols: vector(2, vector(1, []byte("spdy/3")))}}, alertNoProtocol},
	} {
		if a := greet(t, at, test.hello.bytes()); a.alert != test.alert && !(name == "compression alone" && a.alert == alertHandshakeFailure) {
			t.Errorf("%s: %+v", name, a)
		}
	}
	for _, suite := range []uint16{
		0x0000, 0x0001, 0x0002, 0x003b, 0xc006, // no encryption
		0x0003, 0x0006, 0x0008, 0x0014, // for export
		0x0018, 0x001b, 0x0034, 0x006c, 0xc018, 0xc019, // anonymous
		0x0004, 0x0005, 0xc007, 0xc011, // RC4
		0x0009, 0x000a, 0x0016, 0xc008, 0xc012, // DES
		0x002f, 0x0035, 0x003c, 0x009c, 0x009d, // without forward secrecy
		0x0033, 0x0039, 0x009e, // finite fields
		0xc009, 0xc00a, 0xc013, 0xc014, 0xc023, 0xc027, // CBC
		0x1301, // of TLS 1.3 alone
	} {
		if a := greet(t, at, hello{version: 0x303, suites: []uint16{suite}}.bytes()); a.alert != alertHandshakeFailure {
			t.Errorf("the cipher suite %#04x: %+v", suite, a)
		}
	}
}

// chosen is what a server with nothing to hide says to one of TLS 1.2.
func chosen(t *testing.T, at string) {
	t.Helper()
	offer := hello{
		version: 0x303, suites: []uint16{0xc009, 0x2f, 0x0a, goodSuite}, compression: []byte{1, 0}, session: bytes.Repeat([]byte{9}, 32),
		extensions: map[uint16][]byte{extRenegotiation: {0}, extMaster: {}, extHeartbeat: {1}},
	}
	a := greet(t, at, offer.bytes())
	renegotiation, secure := a.extensions[extRenegotiation]
	_, master := a.extensions[extMaster]
	_, heart := a.extensions[extHeartbeat]
	switch {
	case a.alert != 0 || a.version != 0x303 || a.suite != goodSuite || a.compression != 0:
		t.Errorf("TLS 1.2: %+v", a)
	case !secure || !bytes.Equal(renegotiation, []byte{0}):
		t.Error("it does not say that it renegotiates securely, which is not at all (RFC 5746 §3.6)")
	case !master:
		t.Error("no extended master secret (RFC 7627)")
	case heart:
		t.Error("it takes heartbeats")
	case string(a.random[24:]) != "DOWNGRD\x01":
		t.Errorf("the random does not tell of a downgrade (RFC 8446 §4.1.3): %x", a.random)
	case bytes.Equal(a.session, offer.session):
		t.Error("it resumes a session that it does not know")
	}
	if b := greet(t, at, offer.bytes()); bytes.Equal(a.random[:24], b.random[:24]) {
		t.Error("the random is the same twice")
	}
}

// tickets notes the tickets that a client is given.
type tickets struct{ seen *[][]byte }

func (k tickets) Get(string) (*tls.ClientSessionState, bool) { return nil, false }
func (k tickets) Put(_ string, s *tls.ClientSessionState) {
	if ticket, _, err := s.ResumptionState(); err == nil && ticket != nil {
		*k.seen = append(*k.seen, slices.Clone(ticket))
	}
}

// negotiated is what clients of today come to.
func negotiated(t *testing.T, at string) {
	t.Helper()
	var seen [][]byte
	for name, test := range map[string]struct {
		config *tls.Config
		want   string
	}{
		"any":            {&tls.Config{}, fmt.Sprint(tls.X25519MLKEM768, " TLS 1.3 TLS_AES_128_GCM_SHA256")},
		"no hybrid":      {&tls.Config{CurvePreferences: []tls.CurveID{tls.X25519, tls.CurveP256}}, "X25519 TLS 1.3 TLS_AES_128_GCM_SHA256"},
		"P-256":          {&tls.Config{CurvePreferences: []tls.CurveID{tls.CurveP256}}, "CurveP256 TLS 1.3 TLS_AES_128_GCM_SHA256"},
		"TLS 1.2":        {&tls.Config{MaxVersion: tls.VersionTLS12}, "X25519 TLS 1.2 TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"},
		"with protocols": {&tls.Config{NextProtos: []string{"spdy/3", "http/1.1"}, CurvePreferences: []tls.CurveID{tls.CurveP256}}, "CurveP256 TLS 1.3 TLS_AES_128_GCM_SHA256 http/1.1"},
	} {
		test.config.ServerName, test.config.InsecureSkipVerify, test.config.ClientSessionCache = "first.example", true, tickets{&seen}
		for range 2 {
			c, err := tls.Dial("tcp", at, test.config)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: first.example\r\nConnection: close\r\n\r\n")
			if _, err := io.Copy(io.Discard, c); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			state := c.ConnectionState()
			_ = c.Close()
			got := fmt.Sprint(state.CurveID, " ", tls.VersionName(state.Version), " ", tls.CipherSuiteName(state.CipherSuite))
			if state.NegotiatedProtocol != "" {
				got += " " + state.NegotiatedProtocol
			}
			if got != test.want {
				t.Errorf("%s: %s, want %s", name, got, test.want)
			}
		}
	}
	for i, ticket := range seen {
		if len(ticket) < 64 || slices.ContainsFunc(seen[:i], func(other []byte) bool { return bytes.Equal(other[:16], ticket[:16]) }) {
			t.Errorf("ticket %d of %d: %x", i, len(seen), ticket)
		}
	}
	if len(seen) < 10 {
		t.Errorf("%d tickets", len(seen))
	}
}
