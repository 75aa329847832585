//go:build linux

package loop

const (
	// bufferSize holds any usual head, and is what is read at once. With two
	// buffers per direction an exchange holds 64 KB at most, large heads apart.
	bufferSize = 16 << 10
	// bulkSize is what is read at once of a large body, and then held of it where
	// the other side is slow. It is a little less than the kernel sends as one
	// segment: what is a little more leaves a tiny one behind each.
	bulkSize = 60 << 10
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
func (b *buffer) grow(n int)      { b.b = b.b[:len(b.b)+n] }

// take consumes n bytes and starts over at keep once nothing is left.
func (b *buffer) take(n, keep int) {
	if b.r += n; b.r == len(b.b) {
		b.b, b.r = b.b[:keep], keep
	}
}

// compact moves what is pending down to keep.
func (b *buffer) compact(keep int) {
	if b.r > keep {
		n := copy(b.b[keep:cap(b.b)], b.b[b.r:])
		b.b, b.r = b.b[:keep+n], keep
		poison(b.free())
	}
}

// buffers is a loop's free list, and a buffer that is empty between two events.
type buffers struct {
	list    [][]byte
	scratch [bulkSize]byte
}

// maxFree bounds what a loop keeps after a burst: 8 MB.
const maxFree = 512

func (f *buffers) get() []byte {
	if n := len(f.list); n > 0 {
		b := f.list[n-1]
		f.list = f.list[:n-1]
		return b
	}
	return make([]byte, 0, bufferSize)
}

func (f *buffers) put(b *buffer) {
	poison(b.b[:cap(b.b)])
	if cap(b.b) == bufferSize && len(f.list) < maxFree {
		f.list = append(f.list, b.b[:0])
	}
	*b = buffer{}
}

// widen gives b as many bytes of memory and the one it had back. What pointed
// into that is void.
func (f *buffers) widen(b *buffer, size int) {
	old := *b
	b.b = append(make([]byte, 0, size), b.b...)
	f.put(&old)
}
