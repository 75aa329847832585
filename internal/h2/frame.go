package h2

import "encoding/binary"

// kind is a frame's type (RFC 9113 §6).
type kind uint8

const (
	kindData kind = iota
	kindHeaders
	kindPriority
	kindReset
	kindSettings
	kindPushPromise
	kindPing
	kindGoAway
	kindWindowUpdate
	kindContinuation
)

// Flags of frames.
const (
	flagEndStream  = 0x1
	flagAck        = 0x1
	flagEndHeaders = 0x4
	flagPadded     = 0x8
	flagPriority   = 0x20
)

const (
	// Preface is what a client says first (RFC 9113 §3.4).
	Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

	frameHead = 9
	// maxFrame is the payload that a frame may have, as nobody says otherwise here.
	maxFrame = 16 << 10
	lastID   = 1<<31 - 1
	maxWin   = 1<<31 - 1
	// firstWindow is what windows are before anybody says otherwise (RFC 9113
	// §6.9.2).
	firstWindow = 1<<16 - 1
)

// frame is a frame's head, and its payload where that is not DATA.
type frame struct {
	length  int
	kind    kind
	flags   uint8
	id      uint32
	payload []byte
}

func (f *frame) has(flag uint8) bool { return f.flags&flag != 0 }

// parseFrame reads the head of a frame; b has that much.
func parseFrame(b []byte) frame {
	return frame{
		length: int(b[0])<<16 | int(b[1])<<8 | int(b[2]),
		kind:   kind(b[3]),
		flags:  b[4],
		id:     binary.BigEndian.Uint32(b[5:]) & lastID,
	}
}

// check tells what is wrong with a frame as such: its length, and whether it is
// of a stream. Some wrongs concern the stream alone; for these there are the
// functions that take it.
func (f *frame) check() *ConnError {
	if f.length > maxFrame {
		return fatal(FrameSizeError, "a frame is larger than was allowed")
	}
	ofConn := f.id == 0
	switch f.kind {
	case kindData, kindHeaders, kindPriority, kindReset, kindContinuation, kindPushPromise:
		if ofConn {
			return fatal(ProtocolError, "a frame without its stream")
		}
	case kindSettings, kindPing, kindGoAway:
		if !ofConn {
			return fatal(ProtocolError, "a frame of the connection on a stream")
		}
	}
	bad := false
	switch f.kind {
	case kindReset, kindWindowUpdate:
		bad = f.length != 4
	case kindSettings:
		bad = f.length%6 != 0 || f.has(flagAck) && f.length != 0
	case kindPing:
		bad = f.length != 8
	case kindGoAway:
		bad = f.length < 8
	}
	if bad {
		return fatal(FrameSizeError, "a frame has not the length of its kind")
	}
	return nil
}

// fragment is what a HEADERS frame has of the field block, and on which stream
// its stream depends.
func (f *frame) fragment() (b []byte, on uint32, err *ConnError) {
	b = f.payload
	pad := 0
	if f.has(flagPadded) {
		if len(b) < 1 {
			return nil, 0, fatal(FrameSizeError, "a frame has no room for its padding")
		}
		pad, b = int(b[0]), b[1:]
	}
	if f.has(flagPriority) {
		if len(b) < 5 {
			return nil, 0, fatal(FrameSizeError, "a frame has no room for its priority")
		}
		on, b = binary.BigEndian.Uint32(b)&lastID, b[5:]
	}
	if pad > len(b) {
		return nil, 0, fatal(ProtocolError, "padding larger than the frame")
	}
	return b[:len(b)-pad], on, nil
}

func (f *frame) number() uint32 { return binary.BigEndian.Uint32(f.payload) }

func appendFrame(dst []byte, length int, k kind, flags uint8, id uint32) []byte {
	dst = append(dst, byte(length>>16), byte(length>>8), byte(length), byte(k), flags)
	return binary.BigEndian.AppendUint32(dst, id)
}

func appendReset(dst []byte, id uint32, code Code) []byte {
	return binary.BigEndian.AppendUint32(appendFrame(dst, 4, kindReset, 0, id), uint32(code))
}

func appendWindowUpdate(dst []byte, id uint32, n int) []byte {
	return binary.BigEndian.AppendUint32(appendFrame(dst, 4, kindWindowUpdate, 0, id), uint32(n))
}

func appendPing(dst []byte, ack bool, data []byte) []byte {
	flags := uint8(0)
	if ack {
		flags = flagAck
	}
	return append(appendFrame(dst, 8, kindPing, flags, 0), data...)
}

func appendGoAway(dst []byte, last uint32, code Code, debug string) []byte {
	dst = appendFrame(dst, 8+len(debug), kindGoAway, 0, 0)
	dst = binary.BigEndian.AppendUint32(dst, last)
	dst = binary.BigEndian.AppendUint32(dst, uint32(code))
	return append(dst, debug...)
}

// appendBlock appends a field block as HEADERS, and CONTINUATION where it is
// larger than a frame may be.
func appendBlock(dst []byte, id uint32, block []byte, end bool, largest int) []byte {
	k, flags := kindHeaders, uint8(0)
	if end {
		flags = flagEndStream
	}
	for {
		n := min(len(block), largest)
		if n == len(block) {
			flags |= flagEndHeaders
		}
		dst = append(appendFrame(dst, n, k, flags, id), block[:n]...)
		if block = block[n:]; len(block) == 0 {
			return dst
		}
		k, flags = kindContinuation, 0
	}
}
