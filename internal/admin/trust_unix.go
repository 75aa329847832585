//go:build unix

package admin

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// ours tells whether a file belongs to the user that this process runs as.
func ours(info fs.FileInfo) bool { return ownedBy(info, os.Geteuid()) }

func ownedBy(info fs.FileInfo, uid int) bool {
	s, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(s.Uid) == uid
}

// private tells why others could put something of theirs into dir, or already
// have put it in dir's place; nil where only this user and root can.
func private(dir string) error {
	link, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	for _, one := range []fs.FileInfo{link, info} {
		if !ours(one) && !ownedBy(one, 0) {
			return fmt.Errorf("the directory %s belongs to another user; set admin.socket to a path in one of your own", dir)
		}
	}
	const othersWrite = 0o022
	if info.Mode().Perm()&othersWrite != 0 && info.Mode()&fs.ModeSticky == 0 {
		return fmt.Errorf("others may write to the directory %s; make it yours alone (chmod go-w %[1]s), or set admin.socket to another path", dir)
	}
	return nil
}

// Check tells why commands must not go to the socket at path: somebody else may
// have put it there. Nil where the socket is one's own or root's; root may use
// anyone's. Where there is none, it is for the caller to find that out.
func Check(path string) error {
	if os.Geteuid() == 0 {
		return nil
	}
	dir := filepath.Dir(path)
	if err := private(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("cannot trust the admin socket %s: %w", path, err)
	}
	if info, err := os.Lstat(path); err == nil && !ours(info) && !ownedBy(info, 0) {
		return fmt.Errorf("cannot trust the admin socket %s: it belongs to another user", path)
	}
	return nil
}

// lock waits for its turn with dir. Where it cannot be had, nothing is locked:
// that guards only against two that start in the same instant.
func lock(dir string) (unlock func()) {
	f, err := os.Open(dir)
	if err != nil {
		return func() {}
	}
	_ = syscall.Flock(int(f.Fd()), syscall.LOCK_EX)
	return func() { _ = f.Close() } // which lets go of it
}

// FileOf tells which file is at path; the zero File where none is.
func FileOf(path string) File {
	info, err := os.Lstat(path)
	if err != nil {
		return File{}
	}
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return File{}
	}
	return File{Device: uint64(s.Dev), Inode: s.Ino}
}
