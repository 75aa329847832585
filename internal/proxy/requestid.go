package proxy

import (
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"time"
)

// maxRequestID bounds a request id that is kept: it goes into logs.
const maxRequestID = 128

// validRequestID tells whether a client's X-Request-Id may be kept.
func validRequestID(id []byte) bool {
	if len(id) == 0 || len(id) > maxRequestID {
		return false
	}
	for _, c := range id {
		if !unreserved(c) && c != '+' && c != '/' && c != '=' && c != ':' && c != '@' {
			return false
		}
	}
	return true
}

// appendRequestID appends a new UUIDv7 (RFC 9562 §5.7). It names a request in
// logs and guards nothing, so its random part need not be a secret.
func appendRequestID(dst []byte, now time.Time) []byte {
	var b [16]byte
	binary.BigEndian.PutUint64(b[8:], rand.Uint64())
	binary.BigEndian.PutUint64(b[:8], uint64(now.UnixMilli())<<16|rand.Uint64()&0xffff)
	b[6] = b[6]&0x0f | 0x70
	b[8] = b[8]&0x3f | 0x80
	var text [36]byte
	hex.Encode(text[0:8], b[0:4])
	hex.Encode(text[9:13], b[4:6])
	hex.Encode(text[14:18], b[6:8])
	hex.Encode(text[19:23], b[8:10])
	hex.Encode(text[24:36], b[10:16])
	text[8], text[13], text[18], text[23] = '-', '-', '-', '-'
	return append(dst, text[:]...)
}
