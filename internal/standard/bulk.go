package standard

import (
	"sync"

	"rgate/internal/buffer"
)

const (
	// bulkSize is what is read at once of a body of known length.
	bulkSize = 32 << 10
	// firstSize is what a quiet client's next bytes are read into: it holds no
	// other buffer.
	firstSize = 1 << 10
)

// spare and bulk lend memory. It is written before it is read, always.
var (
	spare buffer.Pool
	bulk  = sync.Pool{New: func() any { return new([bulkSize]byte) }}
)

// giveBulk gives back what bulk lent.
func giveBulk(mem *[bulkSize]byte) {
	buffer.Poison(mem[:])
	bulk.Put(mem)
}
