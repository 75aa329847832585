package h1

// BodyKind says how a body ends.
type BodyKind uint8

// The ways a body ends.
const (
	BodyNone BodyKind = iota
	BodyLength
	BodyChunked
	BodyUntilClose
)

// Body reads a body of any kind piece by piece. The zero value is no body.
type Body struct {
	Kind BodyKind

	chunked Chunked
	left    int64
}

// Body makes b ready for the request's body.
func (r *Request) Body(b *Body, lim Limits) {
	b.reset(r.Chunked, max(r.ContentLength, 0), lim)
}

// Body makes b ready for the answer's body.
func (r *Response) Body(b *Body, lim Limits) {
	if r.NoBody {
		b.reset(false, 0, lim)
		return
	}
	b.reset(r.Chunked, max(r.ContentLength, 0), lim)
	if r.UntilClose {
		b.Kind = BodyUntilClose
	}
}

// Reset makes b no body. It keeps the memory of its trailer alone.
func (b *Body) Reset() { b.reset(false, 0, Limits{}) }

// reset leaves nothing of the body before but the memory of its trailer.
func (b *Body) reset(chunked bool, length int64, lim Limits) {
	b.chunked.Reset(lim)
	*b = Body{left: length, chunked: b.chunked}
	switch {
	case chunked:
		b.Kind = BodyChunked
	case length > 0:
		b.Kind = BodyLength
	}
}

// Trailer is the trailer section of a body that is done, without what must not
// come there; nil for a body that is not chunked. It points into the buffers
// given to Next.
func (b *Body) Trailer() []Field {
	if b.Kind != BodyChunked || !b.chunked.Done() {
		return nil
	}
	return b.chunked.Trailer
}

// Next consumes n bytes from the start of buf and returns the data among
// them. See Chunked.Next for how to call it.
func (b *Body) Next(buf []byte) (data []byte, n int, done bool, err error) {
	switch b.Kind {
	case BodyChunked:
		return b.chunked.Next(buf)
	case BodyLength:
		n = int(min(b.left, int64(len(buf))))
		b.left -= int64(n)
		return buf[:n:n], n, b.left == 0, nil
	case BodyUntilClose:
		return buf, len(buf), false, nil
	}
	return nil, 0, true, nil
}

// Done reports whether the body is complete. A body that ends with the
// connection never is before that.
func (b *Body) Done() bool {
	switch b.Kind {
	case BodyChunked:
		return b.chunked.Done()
	case BodyLength:
		return b.left == 0
	}
	return b.Kind == BodyNone
}

// Left is the number of data bytes known to come next without anything in
// between: the rest of a length, or of the current chunk.
func (b *Body) Left() int64 {
	switch b.Kind {
	case BodyChunked:
		return b.chunked.Left()
	case BodyLength:
		return b.left
	}
	return 0
}

// Skip says that n data bytes, at most Left, were moved without Next, by
// splice for instance.
func (b *Body) Skip(n int64) {
	switch b.Kind {
	case BodyChunked:
		b.chunked.Skip(n)
	case BodyLength:
		b.left -= n
	}
}

// EOF judges the peer's closing: nil if the body is complete by it, and
// ErrTruncated if something is missing.
func (b *Body) EOF() error {
	if b.Kind == BodyUntilClose || b.Done() {
		return nil
	}
	return ErrTruncated
}
