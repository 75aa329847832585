package standard

import "sync"

const (
	// bufferSize holds any usual head, and a request that is kept to be sent again.
	bufferSize = 16 << 10
	// bulkSize is what is read at once of a body of known length.
	bulkSize = 32 << 10
	// firstSize is what a quiet client's next bytes are read into: it holds no
	// other buffer.
	firstSize = 1 << 10
)

// buffer is bytes on their way: b[r:] is still to be consumed.
type buffer struct {
	b []byte
	r int
}

func (b *buffer) pending() []byte { return b.b[b.r:] }
func (b *buffer) empty() bool     { return b.r == len(b.b) }
func (b *buffer) room() int       { return cap(b.b) - len(b.b) }
func (b *buffer) free() []byte    { return b.b[len(b.b):cap(b.b)] }
func (b *buffer) fill(n int)      { b.b = b.b[:len(b.b)+n] }

// compact moves what is pending down to keep.
func (b *buffer) compact(keep int) {
	if b.r > keep {
		n := copy(b.b[keep:cap(b.b)], b.b[b.r:])
		b.b, b.r = b.b[:keep+n], keep
	}
}

// grow doubles b.
func (b *buffer) grow() { b.b = append(make([]byte, 0, 2*cap(b.b)), b.b...) }

// need gives b memory where it has none.
func (b *buffer) need() {
	if b.b != nil {
		return
	}
	if p, ok := spare.Get().(*[]byte); ok {
		b.b = *p
	} else {
		b.b = make([]byte, 0, bufferSize)
	}
}

// release gives b's memory back.
func (b *buffer) release() {
	poison(b.b[:cap(b.b)])
	if cap(b.b) == bufferSize {
		mem := b.b[:0]
		spare.Put(&mem)
	}
	*b = buffer{}
}

// spare and bulk lend memory. It is written before it is read, always.
var (
	spare sync.Pool
	bulk  = sync.Pool{New: func() any { return new([bulkSize]byte) }}
)

// giveBulk gives back what bulk lent.
func giveBulk(mem *[bulkSize]byte) {
	poison(mem[:])
	bulk.Put(mem)
}
