//go:build unix

package authority

import "syscall"

// straight has a file opened that is no link, and without waiting where it is a
// pipe.
const straight = syscall.O_NOFOLLOW | syscall.O_NONBLOCK
