//go:build linux

package loop

import (
	"bytes"
	"crypto/tls"
	"reflect"
	"unsafe"
)

// A tls.Conn keeps two buffers as large as they have ever been: of raw records, which
// may be of 16 KB, and of handshake messages. crypto/tls has no word for giving them
// back, and a quiet connection would hold more by them than by all else together. So
// they are taken away, where they are what they were when this was written, and empty.
var (
	rawInput = bufferIn("rawInput")
	hand     = bufferIn("hand")
)

// place is where a buffer is in a tls.Conn; 0 for nowhere.
type place uintptr

func bufferIn(name string) place {
	f, ok := reflect.TypeFor[tls.Conn]().FieldByName(name)
	if !ok || f.Type != reflect.TypeFor[bytes.Buffer]() {
		return 0
	}
	return place(f.Offset)
}

// slim takes from c the memory at p, if it is more than most, and unused.
func (p place) slim(c *tls.Conn, most int) {
	if p == 0 {
		return
	}
	b := (*bytes.Buffer)(unsafe.Add(unsafe.Pointer(c), p))
	if b.Len() == 0 && b.Cap() > most {
		*b = bytes.Buffer{}
	}
}

// usualRecord is what most requests fit in: that much is kept for the next.
const usualRecord = 4 << 10
