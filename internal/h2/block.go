package h2

import (
	"time"

	"golang.org/x/net/http2/hpack"

	"rgate/internal/h1"
)

// tableSize bounds the table of fields that either side keeps (RFC 7541 §4.2).
const tableSize = 4096

// block is the field block that is coming. Its frames come one after the other.
type block struct {
	id      uint32 // of its stream; 0 for none
	end     bool   // nothing comes after it
	on      uint32 // the stream that its own depends on
	frames  int
	length  int       // bytes of all frames
	since   time.Time // when the first came
	section section
}

// section is a field section, decoded. One that is larger than the limits is read
// to its end and not kept, as what follows depends on it.
type section struct {
	fields []hpack.HeaderField
	size   int       // as HTTP/1.1 has it
	wrong  *h1.Error // larger than the limits
}

// perField is what a field takes in HTTP/1.1 besides its name and value.
const perField = 4

func (c *Conn) emit(f hpack.HeaderField) {
	s := &c.block.section
	if s.wrong != nil {
		return
	}
	s.size += len(f.Name) + len(f.Value) + perField
	switch {
	case s.size > c.o.Head:
		s.wrong = h1.ErrHeadSize
	case len(s.fields) >= c.o.Fields+pseudoFields:
		s.wrong = h1.ErrFieldCount
	}
	if s.wrong != nil {
		s.fields = nil
		c.decoder.SetEmitEnabled(false)
		return
	}
	s.fields = append(s.fields, f)
}

// fragment takes a frame's part of the block. A block that is far larger than
// its fields may be is given up.
func (c *Conn) fragment(f *frame, b []byte) *ConnError {
	k := &c.block
	if k.frames++; k.frames > mostFragments {
		return calm("CONTINUATION frames")
	}
	if k.length += len(b); k.length > c.o.Head+maxFrame {
		return calm("bytes of one head")
	}
	if c.decoder == nil {
		c.decoder = hpack.NewDecoder(tableSize, c.emit)
	}
	if _, err := c.decoder.Write(b); err != nil {
		return fatal(CompressionError, "a field block that cannot be decoded")
	}
	if !f.has(flagEndHeaders) {
		return nil
	}
	if err := c.decoder.Close(); err != nil {
		return fatal(CompressionError, "a field block that breaks off")
	}
	c.decoder.SetEmitEnabled(true)
	done := c.block
	c.block = block{}
	return c.complete(&done)
}

func (c *Conn) continuation(f *frame) *ConnError {
	if c.block.id == 0 {
		return fatal(ProtocolError, "CONTINUATION without HEADERS")
	}
	return c.fragment(f, f.payload)
}

// headers begins a block, on a stream that is open or one that is new.
func (c *Conn) headers(f *frame) *ConnError {
	b, on, err := f.fragment()
	if err != nil {
		return err
	}
	s := c.streams[f.id]
	switch {
	case s != nil && s.ended:
		return fatal(StreamClosed, "HEADERS on a stream that was ended")
	case s != nil:
	case c.idle(f.id):
		if c.o.Client || f.id%2 == 0 {
			return fatal(ProtocolError, "a stream that the other side may not open")
		}
		c.lastPeer = f.id
	case !c.ended.has(f.id):
		return fatal(StreamClosed, "HEADERS on a stream that is closed")
	}
	c.block = block{id: f.id, end: f.has(flagEndStream), on: on, since: time.Now()}
	return c.fragment(f, b)
}
