//go:build linux

package main

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"net"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// tap is a connection below TLS that keeps what goes by during a handshake, from
// which a record of one's own can be made: crypto/tls asks for no renegotiation.
type tap struct {
	net.Conn
	keeps  bool
	in     bytes.Buffer
	secret bytes.Buffer // a line of the key log: label, client random, master secret
}

func (t *tap) Read(b []byte) (int, error) {
	n, err := t.Conn.Read(b)
	if t.keeps {
		t.in.Write(b[:n])
	}
	return n, err
}

const (
	recordHead = 5
	helloHead  = 4 + 2 // of a handshake message, and a version
	randomSize = 32
)

// seal makes handshake messages a record of TLS 1.2 with AES-128-GCM, the first
// after the client's Finished (RFC 5246 §6.3, RFC 5288 §3).
func (t *tap) seal(messages []byte) ([]byte, error) {
	words := strings.Fields(t.secret.String())
	if len(words) != 3 || t.in.Len() < recordHead+helloHead+randomSize {
		return nil, errors.New("no secret of TLS 1.2 is known")
	}
	random, err := hex.DecodeString(words[1])
	master, err2 := hex.DecodeString(words[2])
	if err := errors.Join(err, err2); err != nil {
		return nil, err
	}
	seed := append([]byte("key expansion"), t.in.Bytes()[recordHead+helloHead:][:randomSize]...)
	keys := expand(master, append(seed, random...), 40) // two keys of 16, two salts of 4
	block, err := aes.NewCipher(keys[:16])
	if err != nil {
		return nil, err
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	number := binary.BigEndian.AppendUint64(nil, 1) // Finished was 0
	const handshake = 22
	head := []byte{handshake, 3, 3}
	about := append(bytes.Clone(number), head...)
	about = binary.BigEndian.AppendUint16(about, uint16(len(messages)))
	sealed := gcm.Seal(bytes.Clone(number), append(bytes.Clone(keys[32:36]), number...), messages, about)
	return append(binary.BigEndian.AppendUint16(head, uint16(len(sealed))), sealed...), nil
}

// expand is P_SHA256 (RFC 5246 §5).
func expand(secret, seed []byte, size int) (out []byte) {
	mac := func(parts ...[]byte) []byte {
		h := hmac.New(sha256.New, secret)
		for _, p := range parts {
			h.Write(p)
		}
		return h.Sum(nil)
	}
	for a := mac(seed); len(out) < size; a = mac(a) {
		out = append(out, mac(a, seed)...)
	}
	return out[:size]
}

// shareports has ports chosen at connect, where the destination counts too.
func shareports(_, _ string, raw syscall.RawConn) (err error) {
	outer := raw.Control(func(fd uintptr) {
		err = unix.SetsockoptInt(int(fd), unix.SOL_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1)
	})
	return errors.Join(err, outer)
}
