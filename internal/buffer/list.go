package buffer

// most bounds what a List keeps after a burst: 8 MB.
const most = 512

// List lends memory to one thread. The zero List is empty.
type List struct{ free [][]byte }

// All is what is there to be lent.
func (l *List) All() [][]byte { return l.free }

// Need gives b memory where it has none.
func (l *List) Need(b *Buffer) {
	if b.B != nil {
		return
	}
	if n := len(l.free); n > 0 {
		*b = Buffer{B: l.free[n-1]}
		l.free = l.free[:n-1]
		return
	}
	*b = Buffer{B: make([]byte, 0, Size)}
}

// Put takes b's memory back.
func (l *List) Put(b *Buffer) {
	Poison(b.B[:cap(b.B)])
	if cap(b.B) == Size && len(l.free) < most {
		l.free = append(l.free, b.B[:0])
	}
	*b = Buffer{}
}

// Widen gives b as many bytes of memory and takes back what it had. What pointed
// into that is void.
func (l *List) Widen(b *Buffer, size int) {
	old := *b
	*b = b.widened(size)
	l.Put(&old)
}
