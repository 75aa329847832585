package buffer

import "sync"

// Pool lends memory to any goroutine. The zero Pool is empty.
type Pool struct{ free sync.Pool }

// Need gives b memory where it has none.
func (p *Pool) Need(b *Buffer) {
	if b.B != nil {
		return
	}
	if mem, ok := p.free.Get().(*[]byte); ok {
		*b = Buffer{B: *mem}
		return
	}
	*b = Buffer{B: make([]byte, 0, Size)}
}

// Put takes b's memory back.
func (p *Pool) Put(b *Buffer) {
	Poison(b.B[:cap(b.B)])
	if cap(b.B) == Size {
		mem := b.B[:0]
		p.free.Put(&mem)
	}
	*b = Buffer{}
}

// Widen gives b as many bytes of memory and takes back what it had. What pointed
// into that is void.
func (p *Pool) Widen(b *Buffer, size int) {
	old := *b
	*b = b.widened(size)
	p.Put(&old)
}
