// Package buffer is the memory that engines read messages into and write them
// from. What is given back is lent to somebody else, so nothing that points into it
// may be kept; built with the tag poison, such memory is overwritten, and who reads
// it all the same is found out.
package buffer

// Size holds any usual head, and is what is lent.
const Size = 16 << 10

// Buffer is bytes on their way: B[R:] is still to be consumed. The zero Buffer has
// no memory.
type Buffer struct {
	B []byte
	R int
}

// Pending is what is still to be consumed.
func (b *Buffer) Pending() []byte { return b.B[b.R:] }

// Empty tells whether nothing is.
func (b *Buffer) Empty() bool { return b.R == len(b.B) }

// Room is how much there is room for.
func (b *Buffer) Room() int { return cap(b.B) - len(b.B) }

// Free is where that goes; Fill says how much came there.
func (b *Buffer) Free() []byte { return b.B[len(b.B):cap(b.B)] }

// Fill says that n bytes came to where it is free.
func (b *Buffer) Fill(n int) { b.B = b.B[:len(b.B)+n] }

// Take consumes n bytes, and starts over at keep once nothing is left.
func (b *Buffer) Take(n, keep int) {
	if b.R += n; b.R == len(b.B) {
		b.B, b.R = b.B[:keep], keep
	}
}

// Compact moves what is pending down to keep.
func (b *Buffer) Compact(keep int) {
	if b.R > keep {
		n := copy(b.B[keep:cap(b.B)], b.B[b.R:])
		b.B, b.R = b.B[:keep+n], keep
		Poison(b.Free())
	}
}

// Clear drops what is pending.
func (b *Buffer) Clear() { b.B, b.R = b.B[:0], 0 }

// widened is b with size bytes of memory of its own. What pointed into b's is void
// once that is given back.
func (b *Buffer) widened(size int) Buffer {
	return Buffer{B: append(make([]byte, 0, size), b.B...), R: b.R}
}
