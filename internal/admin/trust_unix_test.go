//go:build unix

package admin

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// Nothing is deleted that is not a dead socket of one's own.
func TestListenDeletesNothingElse(t *testing.T) {
	dir := short(t)
	file, fifo, link, precious := filepath.Join(dir, "file"), filepath.Join(dir, "fifo"), filepath.Join(dir, "link"), filepath.Join(dir, "precious")
	for _, path := range []string{file, precious} {
		if err := os.WriteFile(path, []byte("precious"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(precious, link); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{file, fifo, link} {
		if l, err := Listen(path); err == nil || !strings.Contains(err.Error(), path+": it is there and is no socket") {
			if err == nil {
				_ = l.Close()
			}
			t.Errorf("%s: %v", path, err)
		}
		if _, err := os.Lstat(path); err != nil {
			t.Errorf("%s is gone: %v", path, err)
		}
	}
	if info, err := os.Stat(precious); err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("what a link leads to has changed: %v, %v", info, err)
	}
}

// One whose queue is full answers nobody for the moment, and lives.
func TestListenLeavesABusySocketAlone(t *testing.T) {
	path := filepath.Join(short(t), "a.sock")
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if err := errors.Join(unix.Bind(fd, &unix.SockaddrUnix{Name: path}), unix.Listen(fd, 0)); err != nil {
		t.Fatal(err)
	}
	waits, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer waits.Close()
	if l, err := Listen(path); err == nil {
		_ = l.Close()
		t.Error("it was taken")
	}
	if _, err := os.Lstat(path); err != nil {
		t.Error(err)
	}
}

// Of many that start at once where a dead one was, one gets the socket.
func TestOneOfManyGetsTheSocket(t *testing.T) {
	path := filepath.Join(short(t), "a.sock")
	dead, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	dead.SetUnlinkOnClose(false)
	_ = dead.Close()
	var mu sync.Mutex
	var won []*net.UnixListener
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if l, err := Listen(path); err == nil {
				mu.Lock()
				defer mu.Unlock()
				won = append(won, l)
			}
		})
	}
	all.Wait()
	if len(won) != 1 {
		t.Errorf("%d got it", len(won))
	}
	if c, err := net.Dial("unix", path); err != nil {
		t.Errorf("it does not answer: %v", err)
	} else {
		_ = c.Close()
	}
	for _, l := range won {
		_ = l.Close()
	}
}

// A directory that a stranger could have prepared is not used, by neither side.
func TestAStrangersDirectoryIsNotTrusted(t *testing.T) {
	root := short(t)
	open, foreign, lured, target := filepath.Join(root, "open"), filepath.Join(root, "foreign"), filepath.Join(root, "lured"), filepath.Join(root, "target")
	for _, dir := range []string{open, foreign, target} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(open, 0o777); err != nil {
		t.Fatal(err)
	}
	wants := map[string]string{open: "others may write to the directory"}
	if os.Geteuid() == 0 { // only root can give files away
		if err := os.Symlink(target, lured); err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{foreign, lured} {
			if err := os.Lchown(path, 12345, 12345); err != nil {
				t.Fatal(err)
			}
			wants[path] = "belongs to another user"
		}
	}
	for dir, want := range wants {
		if l, err := Listen(filepath.Join(dir, "a.sock")); err == nil || !strings.Contains(err.Error(), want) {
			if err == nil {
				_ = l.Close()
			}
			t.Errorf("%s: %v instead of %q", dir, err, want)
		}
		if _, err := os.Lstat(filepath.Join(dir, "a.sock")); err == nil {
			t.Errorf("a socket was made in %s", dir)
		}
	}
	if info, err := os.Stat(target); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("what the link leads to has changed: %v, %v", info, err)
	}
}
