package wire

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"

	"rgate/internal/h1"
	"rgate/internal/proxy"
)

// A call of gRPC-Web (PROTOCOL-WEB.md of grpc/grpc) is one of gRPC whose trailer
// section is the last frame of its body, and in the text form all of it is in
// base64: so browsers can make it.

// The types of content, before what says how messages are written.
const (
	typeGRPC    = "application/grpc"
	typeWeb     = "application/grpc-web"
	typeWebText = "application/grpc-web-text"
)

// webType is the one that x's client speaks.
func webType(x *proxy.Exchange) string {
	if x.RPC == proxy.GRPCWebText {
		return typeWebText
	}
	return typeWeb
}

// appendType appends a Content-Type with another type in the place of one.
func appendType(dst []byte, f *h1.Field, from, to string) []byte {
	rest, ok := bytes.CutPrefix(f.Value, []byte(from))
	if !ok {
		return h1.AppendField(dst, f.Name, f.Value)
	}
	dst = append(append(dst, f.Name...), ": "...)
	dst = append(append(dst, to...), rest...)
	return append(dst, '\r', '\n')
}

// WebText is base64 on its way to bytes. It may be in several pieces, each padded by
// itself. The zero WebText has seen nothing.
type WebText struct {
	group [4]byte
	have  int // of group
}

// ErrWebText is a body that is not what its type says.
var ErrWebText = &h1.Error{Status: 400, Class: "bad_base64", Section: "RFC 4648 §4", Text: "the body is not in base64"}

// Append appends the bytes that data stands for, together with what came before.
func (t *WebText) Append(dst, data []byte) ([]byte, error) {
	for _, c := range data {
		t.group[t.have] = c
		if t.have++; t.have < len(t.group) {
			continue
		}
		t.have = 0
		var three [3]byte
		n, err := base64.StdEncoding.Strict().Decode(three[:], t.group[:])
		if err != nil {
			return dst, ErrWebText
		}
		dst = append(dst, three[:n]...)
	}
	return dst, nil
}

// Whole tells whether nothing is missing of it.
func (t *WebText) Whole() bool { return t.have == 0 }

// AppendWebBody appends a piece of an answer's body for x's client, as a chunk where
// it goes out in chunks.
func AppendWebBody(dst, data []byte, x *proxy.Exchange, chunked bool) []byte {
	if x.RPC != proxy.GRPCWebText || len(data) == 0 {
		return AppendBody(dst, data, chunked)
	}
	n := base64.StdEncoding.EncodedLen(len(data))
	if chunked {
		dst = h1.AppendChunkHeader(dst, n)
	}
	dst = base64.StdEncoding.AppendEncode(dst, data)
	if chunked {
		dst = append(dst, '\r', '\n')
	}
	return dst
}

// trailerFrame says that a frame has no message, but the trailer section.
const trailerFrame = 0x80

// AppendWebTrailer appends the last frame of an answer's body, as AppendWebBody.
func AppendWebTrailer(dst []byte, trailer []h1.Field, x *proxy.Exchange, chunked bool) []byte {
	frame := []byte{trailerFrame, 0, 0, 0, 0}
	for i := range trailer {
		frame = append(append(frame, bytes.ToLower(trailer[i].Name)...), ": "...)
		frame = append(append(frame, trailer[i].Value...), '\r', '\n')
	}
	binary.BigEndian.PutUint32(frame[1:], uint32(len(frame)-5))
	return AppendWebBody(dst, frame, x, chunked)
}
