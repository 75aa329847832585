package h1

import "math"

// Chunked decodes a chunked body (RFC 9112 §7.1) piece by piece, without a
// buffer of its own. Its zero value is ready and has the default limits.
type Chunked struct {
	// Trailer holds the trailer fields once the body is done, without those
	// that must not come there (RFC 9110 §6.5.1): framing, routing,
	// authentication, forwarding and the like are dropped.
	Trailer []Field

	lim    Limits
	state  chunkState
	digits uint8 // of the size being read
	left   uint64
	ext    int // extension bytes so far
	scan   scan
}

type chunkState uint8

const (
	chunkSize chunkState = iota
	chunkExt
	chunkSizeLF
	chunkData
	chunkDataCR
	chunkDataLF
	chunkTrailer
	chunkDone
)

// Reset makes d ready for another body.
func (d *Chunked) Reset(lim Limits) {
	clear(d.Trailer)
	*d = Chunked{lim: lim, Trailer: d.Trailer[:0]}
}

// Done reports whether the body and its trailer section are complete.
func (d *Chunked) Done() bool { return d.state == chunkDone }

// Left is the number of bytes the current chunk still has, for callers that
// move them without reading; they then call Skip.
func (d *Chunked) Left() int64 {
	if d.state != chunkData {
		return 0
	}
	return int64(d.left)
}

// Skip says that n bytes of the current chunk, at most Left, were moved.
func (d *Chunked) Skip(n int64) {
	if d.left -= uint64(n); d.state == chunkData && d.left == 0 {
		d.state = chunkDataCR
	}
}

// Next consumes n bytes from the start of buf and returns the data among them,
// which never spans two chunks. Call it with what follows until it consumes
// nothing or is done. Only an incomplete trailer section is left unconsumed;
// offer it again with more behind it (Limits.MaxTrailer bounds it).
func (d *Chunked) Next(buf []byte) (data []byte, n int, done bool, err error) {
	for n < len(buf) {
		switch d.state {
		case chunkData:
			if data != nil {
				return data, n, false, nil
			}
			k := int(min(d.left, uint64(len(buf)-n)))
			data = buf[n : n+k : n+k]
			n += k
			d.Skip(int64(k))
		case chunkTrailer:
			k, e := d.trailer(buf[n:])
			if e != nil {
				return nil, n, false, e
			}
			if n += k; k == 0 {
				return data, n, false, nil
			}
		case chunkDone:
			return data, n, true, nil
		default:
			if e := d.step(buf[n]); e != nil {
				return nil, n, false, e
			}
			n++
		}
	}
	return data, n, d.state == chunkDone, nil
}

// step takes one byte of what stands around the data.
func (d *Chunked) step(c byte) *Error {
	switch d.state {
	case chunkSize:
		return d.size(c)
	case chunkExt:
		return d.extension(c)
	case chunkSizeLF:
		if c != '\n' {
			return ErrBareCR
		}
		d.digits = 0
		if d.state = chunkData; d.left == 0 {
			d.state = chunkTrailer
		}
	case chunkDataCR:
		if c != '\r' {
			return ErrChunkEnd
		}
		d.state = chunkDataLF
	case chunkDataLF:
		if c != '\n' {
			return ErrChunkEnd
		}
		d.state = chunkSize
	}
	return nil
}

// size takes one byte of a size line up to its extension. At most 16 digits,
// so that zeros in front cannot go on for ever; white space after them is
// refused, though the grammar of extensions has it ("BWS").
func (d *Chunked) size(c byte) *Error {
	switch {
	case is(c, classHex):
		if d.digits == 16 || d.left > math.MaxInt64>>4 {
			return ErrChunkOverflow
		}
		d.left, d.digits = d.left<<4|uint64(hexValue(c)), d.digits+1
	case d.digits == 0:
		return ErrChunkSize
	case c == '\r':
		d.state = chunkSizeLF
	case c == '\n':
		return ErrBareLF
	case c == ';':
		d.state = chunkExt
		return d.extension(c)
	default:
		return ErrChunkSize
	}
	return nil
}

func (d *Chunked) extension(c byte) *Error {
	switch {
	case c == '\r':
		d.state = chunkSizeLF
		return nil
	case c == '\n':
		return ErrBareLF
	case !is(c, classText):
		return ErrChunkExtByte
	}
	if d.ext++; d.ext > orDefault(d.lim.MaxChunkExt, DefaultMaxChunkExt) {
		return ErrChunkExt
	}
	return nil
}

func hexValue(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c&0x0f + 9
}

// trailer reads the trailer section at the start of b. It consumes nothing
// until the section is complete.
func (d *Chunked) trailer(b []byte) (n int, err *Error) {
	limit := orDefault(d.lim.MaxTrailer, DefaultMaxTrailer)
	if len(b) > limit {
		b = b[:limit]
	}
	if !d.scan.resume(b) {
		d.Trailer, d.scan = d.Trailer[:0], scan{base: &b[0], phase: phaseFields}
	}
	fields, done, err := d.scan.fields(b, d.Trailer, orDefault(d.lim.MaxFields, DefaultMaxFields))
	d.Trailer = fields
	if err == nil && !done && len(b) == limit {
		err = ErrTrailerSize
	}
	if err != nil || !done {
		return 0, err
	}
	n = d.scan.pos
	d.state, d.scan = chunkDone, scan{}
	kept := fields[:0]
	for _, f := range fields {
		if !knownFields[f.ID].late {
			kept = append(kept, f)
		}
	}
	d.Trailer = kept
	return n, nil
}
