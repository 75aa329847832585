package main

import (
	"bufio"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
)

// The opcodes of WebSocket frames that are not sent back as they came.
const (
	opClose = 0x8
	opPing  = 0x9
	opPong  = 0xA
)

// websocket sends each frame back. It is as much of RFC 6455 as an echo needs.
func (h *handler) websocket(w http.ResponseWriter, r *http.Request) {
	key := r.Header.Get("Sec-WebSocket-Key")
	if key == "" {
		http.Error(w, "not a WebSocket handshake", http.StatusBadRequest)
		return
	}
	conn, buffered := takeOver(w)
	if conn == nil {
		return
	}
	defer func() { _ = conn.Close() }()
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	_, _ = fmt.Fprintf(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"X-Served-By: %s\r\nSec-WebSocket-Accept: %s\r\n\r\n", h.o.name, base64.StdEncoding.EncodeToString(sum[:]))
	for {
		first, payload, err := readFrame(buffered.Reader)
		if err != nil {
			return
		}
		opcode := first & 0xF
		switch opcode {
		case opPing:
			first = first&0xF0 | opPong
		case opPong:
			continue
		}
		if _, err := conn.Write(frame(first, payload)); err != nil || opcode == opClose {
			return
		}
	}
}

func readFrame(r *bufio.Reader) (first byte, payload []byte, err error) {
	var head [2]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, nil, err
	}
	length := uint64(head[1] & 0x7F)
	var extended [8]byte
	switch length {
	case 126:
		_, err = io.ReadFull(r, extended[6:])
		length = binary.BigEndian.Uint64(extended[:])
	case 127:
		_, err = io.ReadFull(r, extended[:])
		length = binary.BigEndian.Uint64(extended[:])
	}
	if err != nil {
		return 0, nil, err
	}
	if length > 64<<20 {
		return 0, nil, fmt.Errorf("a frame of %d bytes is too long", length)
	}
	var mask [4]byte
	if head[1]&0x80 != 0 {
		if _, err := io.ReadFull(r, mask[:]); err != nil {
			return 0, nil, err
		}
	}
	payload = make([]byte, length)
	if _, err := io.ReadFull(r, payload); err != nil {
		return 0, nil, err
	}
	for i := range payload {
		payload[i] ^= mask[i%4]
	}
	return head[0], payload, nil
}

func frame(first byte, payload []byte) []byte {
	out := []byte{first}
	switch n := len(payload); {
	case n < 126:
		out = append(out, byte(n))
	case n < 1<<16:
		out = binary.BigEndian.AppendUint16(append(out, 126), uint16(n))
	default:
		out = binary.BigEndian.AppendUint64(append(out, 127), uint64(n))
	}
	return append(out, payload...)
}
