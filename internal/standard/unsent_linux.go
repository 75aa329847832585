package standard

import "golang.org/x/sys/unix"

// unsent tells whether the peer has not acknowledged all that was sent.
func (s sight) unsent() (some bool) {
	if s.raw == nil {
		return false
	}
	_ = s.raw.Control(func(fd uintptr) { // fails on a closed connection, which sends nothing
		n, err := unix.IoctlGetInt(int(fd), unix.SIOCOUTQ)
		some = err == nil && n > 0
	})
	return some
}
