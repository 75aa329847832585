//go:build linux

package loop

import "rgate/internal/buffer"

// bulkSize is what is read at once of a large body, and then held of it where the
// other side is slow. It is a little less than the kernel sends as one segment:
// what is a little more leaves a tiny one behind each. With two buffers per
// direction an exchange holds 64 KB at most otherwise, large heads apart.
const bulkSize = 60 << 10

// maxFree bounds what a loop keeps of each kind of memory after a burst.
const maxFree = 512

// memories is what a loop lends, and a buffer that is empty between two events.
type memories struct {
	buffer.List
	scratch [bulkSize]byte
	records []byte // of TLS, to be sent together
}
