package cli

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"encoding/binary"
	"encoding/hex"
	"net"
	"strings"
	"testing"
	"time"
)

// overheard notes what is read from a connection.
type overheard struct {
	net.Conn
	heard bytes.Buffer
}

func (o *overheard) Read(b []byte) (int, error) {
	n, err := o.Conn.Read(b)
	o.heard.Write(b[:n])
	return n, err
}

// expand is the PRF of TLS 1.2 (RFC 5246 §5).
func expand(secret, seed []byte, n int) (out []byte) {
	sum := func(b []byte) []byte {
		h := hmac.New(sha256.New, secret)
		h.Write(b)
		return h.Sum(nil)
	}
	for a := sum(seed); len(out) < n; a = sum(a) {
		out = append(out, sum(append(bytes.Clone(a), seed...))...)
	}
	return out[:n]
}

// seal is a record of a client of TLS 1.2 with AES-128-GCM (RFC 5288 §3).
func seal(t *testing.T, keyLog string, serverRandom []byte, sequence uint64, kind byte, text []byte) []byte {
	t.Helper()
	words := strings.Fields(keyLog) // CLIENT_RANDOM, itself, and the master secret
	clientRandom, err1 := hex.DecodeString(words[1])
	master, err2 := hex.DecodeString(words[2])
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	keys := expand(master, append(append([]byte("key expansion"), serverRandom...), clientRandom...), 40)
	block, err := aes.NewCipher(keys[:16])
	if err != nil {
		t.Fatal(err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	explicit := binary.BigEndian.AppendUint64(nil, sequence)
	nonce := append(bytes.Clone(keys[32:36]), explicit...)
	about := append(bytes.Clone(explicit), kind, 3, 3, byte(len(text)>>8), byte(len(text)))
	return append([]byte{kind, 3, 3}, vector(2, append(explicit, gcm.Seal(nil, nonce, text, about)...))...)
}

// A client that begins a second handshake within the first, sealed as it should be,
// is told that there is none, and its connection ends.
func TestNoRenegotiation(t *testing.T) {
	for _, engine := range []string{"standard", "loop"} {
		t.Run(engine, func(t *testing.T) {
			_, secure := spawnSecured(t, secured(engine, echo(t)))
			socket, err := net.Dial("tcp", "127.0.0.1:"+secure.port)
			if err != nil {
				t.Fatal(err)
			}
			defer socket.Close()
			_ = socket.SetDeadline(time.Now().Add(patience))
			var keys bytes.Buffer
			below := &overheard{Conn: socket}
			c := tls.Client(below, &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12, KeyLogWriter: &keys})
			if err := c.Handshake(); err != nil {
				t.Fatal(err)
			}
			random := below.heard.Bytes()[5+4+2:][:32]
			again := hello{version: 0x303, suites: []uint16{goodSuite}, extensions: map[uint16][]byte{extRenegotiation: append([]byte{12}, make([]byte, 12)...)}}
			if _, err := socket.Write(seal(t, keys.String(), random, 1, 22, again.bytes()[5:])); err != nil {
				t.Fatal(err)
			}
			// That it is an alert, and which, shows that the record was taken for what it is.
			if _, err := c.Read(make([]byte, 1)); err == nil || !strings.Contains(err.Error(), "remote error: tls: no renegotiation") && !strings.Contains(err.Error(), "remote error: tls: unexpected message") {
				t.Errorf("it ends with %v", err)
			}
		})
	}
}
