//go:build linux

package loop

// recordHead is what stands before a record's content: its kind, a version, and its
// length (RFC 8446 §5.1).
const recordHead = 5

// records follows where TLS records end, among raw bytes as they go by.
type records struct {
	whole int32 // that went by since none was left unread
	part  int32 // bytes of the one that has begun
	size  int32 // its own, once its head is here
}

func (r *records) follow(b []byte) {
	for len(b) > 0 {
		if r.part < recordHead {
			if r.part >= recordHead-2 {
				r.size = r.size<<8 | int32(b[0])
			} else {
				r.size = 0
			}
			r.part, b = r.part+1, b[1:]
		} else {
			n := min(int(r.size), len(b))
			r.part, r.size, b = r.part+int32(n), r.size-int32(n), b[n:]
		}
		if r.part >= recordHead && r.size == 0 {
			r.whole, r.part = r.whole+1, 0
		}
	}
}

// one tells whether a single record went by, and is the last there is. What was read
// is that one's, and nothing is left.
func (r *records) one() bool {
	if r.whole != 1 || r.part != 0 {
		return false
	}
	r.whole = 0
	return true
}

// none says that nothing is left unread but what part tells.
func (r *records) none() { r.whole = 0 }
