//go:build linux

package loop

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/tls"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"rgate/internal/rig/ends"
)

// talker is a client that seals its own records, as crypto/tls has no words for
// most of what a client may say: TLS 1.3 with TLS_AES_128_GCM_SHA256.
type talker struct {
	net.Conn
	t       *testing.T
	in, out half
}

// half is one direction's keys (RFC 8446 §7.3).
type half struct {
	secret []byte
	aead   cipher.AEAD
	iv     []byte
	seq    uint64
}

// The kinds of records (RFC 8446 §5.1), and a message.
const (
	recordAlert     = 21
	recordHandshake = 22
	recordData      = 23
)

// keyUpdate asks for one in turn (RFC 8446 §4.6.3).
var keyUpdate = []byte{24, 0, 0, 1, 1}

func newTalker(t *testing.T, addr string) *talker {
	t.Helper()
	raw, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = raw.Close() })
	_ = raw.SetDeadline(time.Now().Add(ends.Patience))
	var keys bytes.Buffer
	c := tls.Client(raw, &tls.Config{InsecureSkipVerify: true, ServerName: "a.example", KeyLogWriter: &keys, MinVersion: tls.VersionTLS13})
	if err := c.Handshake(); err != nil {
		t.Fatal(err)
	}
	if s := c.ConnectionState().CipherSuite; s != tls.TLS_AES_128_GCM_SHA256 {
		t.Fatalf("%s was chosen", tls.CipherSuiteName(s))
	}
	k := &talker{Conn: raw, t: t}
	for line := range strings.Lines(keys.String()) {
		f := strings.Fields(line)
		secret, err := hex.DecodeString(f[2])
		if err != nil {
			t.Fatal(err)
		}
		switch f[0] {
		case "CLIENT_TRAFFIC_SECRET_0":
			k.out.use(t, secret)
		case "SERVER_TRAFFIC_SECRET_0":
			k.in.use(t, secret)
		}
	}
	return k
}

func (h *half) use(t *testing.T, secret []byte) {
	block, err := aes.NewCipher(expand(t, secret, "key", 16))
	if err != nil {
		t.Fatal(err)
	}
	if h.aead, err = cipher.NewGCM(block); err != nil {
		t.Fatal(err)
	}
	h.secret, h.iv, h.seq = secret, expand(t, secret, "iv", 12), 0
}

// update goes on to the next keys (RFC 8446 §7.2).
func (h *half) update(t *testing.T) { h.use(t, expand(t, h.secret, "traffic upd", 32)) }

// expand is HKDF-Expand-Label (RFC 8446 §7.1), of no context.
func expand(t *testing.T, secret []byte, label string, n int) []byte {
	info := binary.BigEndian.AppendUint16(nil, uint16(n))
	info = append(info, byte(len("tls13 "+label)))
	info = append(append(info, "tls13 "+label...), 0)
	b, err := hkdf.Expand(sha256.New, secret, string(info), n)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (h *half) nonce() []byte {
	n := bytes.Clone(h.iv)
	for i := range 8 {
		n[4+i] ^= byte(h.seq >> (56 - 8*i))
	}
	h.seq++
	return n
}

// record is one of a kind that holds text.
func (k *talker) record(kind byte, text []byte) []byte {
	head := []byte{recordData, 3, 3, 0, 0}
	binary.BigEndian.PutUint16(head[3:], uint16(len(text)+1+16))
	return k.out.aead.Seal(head, k.out.nonce(), append(bytes.Clone(text), kind), head)
}

// say sends text in one record.
func (k *talker) say(text string) {
	k.t.Helper()
	k.put(k.record(recordData, []byte(text)))
}

func (k *talker) put(b []byte) {
	k.t.Helper()
	if _, err := k.Write(b); err != nil {
		k.t.Fatal(err)
	}
}

// next opens the next record.
func (k *talker) next() (kind byte, text []byte, err error) {
	head := make([]byte, 5)
	if _, err := io.ReadFull(k, head); err != nil {
		return 0, nil, err
	}
	text = make([]byte, binary.BigEndian.Uint16(head[3:]))
	if _, err := io.ReadFull(k, text); err != nil {
		return 0, nil, io.ErrUnexpectedEOF
	}
	if text, err = k.in.aead.Open(nil, k.in.nonce(), text, head); err != nil {
		return 0, nil, err
	}
	text = bytes.TrimRight(text, "\x00")
	kind = text[len(text)-1]
	return kind, text[:len(text)-1], nil
}

// hear is all that comes until the connection ends, and how it does: with an alert,
// or an error. Changes of keys are followed.
func (k *talker) hear(until func(said string) bool) (said string, end error) {
	k.t.Helper()
	for until == nil || !until(said) {
		kind, text, err := k.next()
		switch {
		case err != nil:
			return said, err
		case kind == recordAlert:
			return said, fmt.Errorf("alert %d", text[1])
		case kind == recordHandshake && text[0] == keyUpdate[0]:
			k.in.update(k.t)
		case kind == recordData:
			said += string(text)
		}
	}
	return said, nil
}
