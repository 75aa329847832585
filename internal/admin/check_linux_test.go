package admin

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// stranger is a user whom nothing belongs to.
const stranger = 12345

// as does f as another user, which only its own thread becomes.
func as(t *testing.T, uid int, f func()) {
	t.Helper()
	runtime.LockOSThread()
	become := func(uid int) {
		const same = ^uintptr(0)
		// Not by the syscall package, which changes all threads.
		if _, _, errno := unix.RawSyscall(unix.SYS_SETRESUID, same, uintptr(uid), same); errno != 0 {
			t.Fatalf("cannot become user %d: %v", uid, errno) // and the thread ends with the test
		}
	}
	own := os.Geteuid()
	become(uid)
	f()
	become(own)
	runtime.UnlockOSThread()
}

// placed makes a socket in a directory of its own below top. Only root can give
// them to others.
func placed(t *testing.T, top string, dirOf, socketOf int, mode os.FileMode) (path string) {
	t.Helper()
	dir, err := os.MkdirTemp(top, "")
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(dir, "a.sock")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	if err := os.Chmod(dir, mode); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() == 0 {
		if err := errors.Join(os.Chown(dir, dirOf, -1), os.Chown(path, socketOf, -1)); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

// Commands go to a socket of one's own or of root's, and root's to anyone's.
func TestCheckAsAnotherUser(t *testing.T) {
	root := os.Geteuid() == 0 // else there is but oneself
	users := map[string]int{"own": os.Geteuid()}
	if root {
		users = map[string]int{"own": stranger, "root's": 0, "another's": stranger + 1}
	}
	top := short(t)
	if err := os.Chmod(top, 0o755); err != nil {
		t.Fatal(err)
	}
	f := func(path, want string) {
		t.Helper()
		var err error
		as(t, users["own"], func() { err = Check(path) })
		switch {
		case want == "" && err != nil:
			t.Error(err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: %v instead of %q", path, err, want)
		}
		if err := Check(path); root && err != nil {
			t.Errorf("for root: %v", err)
		}
	}
	f(placed(t, top, users["own"], users["own"], 0o777), "others may write to the directory")
	f(filepath.Join(top, "none", "a.sock"), "") // for the caller to find out
	for dirOf, d := range users {
		for socketOf, s := range users {
			want := ""
			if dirOf == "another's" {
				want = "belongs to another user; set admin.socket"
			} else if socketOf == "another's" {
				want = "it belongs to another user"
			}
			f(placed(t, top, d, s, 0o755), want)
			if dirOf == "root's" { // as /tmp is
				f(placed(t, top, d, s, 0o777|os.ModeSticky), want)
			}
		}
	}
}
