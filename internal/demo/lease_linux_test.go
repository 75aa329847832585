package demo

import (
	"os"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// What cannot be asked may live: only a lease that refuses, or is not there,
// makes leftovers of what its demo made.
func TestALeaseThatCannotBeAsked(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	l, err := takeLease()
	if err != nil {
		t.Fatal(err)
	}
	defer l.drop()
	if err := os.Chmod(leasePath(l.id), 0); err != nil {
		t.Fatal(err)
	}
	if !asNobody(func() bool { return lives(l.id) }) {
		t.Error("another user's demo is taken for dead")
	}

	// A backlog without room: the kernel says try again, not that nobody is there.
	full, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Close(full) }()
	const id = "f0f0f0"
	if err := unix.Bind(full, &unix.SockaddrUnix{Name: leasePath(id)}); err != nil {
		t.Fatal(err)
	}
	if err := unix.Listen(full, 0); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if !lives(id) {
			t.Error("a demo with a full backlog is taken for dead")
		}
	}
	_ = unix.Shutdown(full, unix.SHUT_RDWR)
	if lives(id) { // its file is there, as after a crash
		t.Error("a lease that refuses is taken for alive")
	}
	if _, err := os.Lstat(leasePath(id)); err == nil {
		t.Error("its file stays")
	}
}

// asNobody runs f with the rights of another user where this one, root, may
// open anything.
func asNobody(f func() bool) bool {
	if os.Geteuid() != 0 {
		return f()
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	const nobody = 65534
	_, _, _ = unix.RawSyscall(unix.SYS_SETFSUID, nobody, 0, 0)
	defer unix.RawSyscall(unix.SYS_SETFSUID, 0, 0, 0)
	return f()
}
