package admin

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// SocketPath is where a gateway on port listens for commands unless the
// config says otherwise: in /run/rgate for root, else in the user's runtime
// directory, else in a directory of the user's own below the temporary one.
func SocketPath(port int) string {
	return socketPath(port, os.Getuid(), os.Getenv("XDG_RUNTIME_DIR"))
}

func socketPath(port, uid int, runtime string) string {
	dir := filepath.Join(os.TempDir(), "rgate-"+strconv.Itoa(uid))
	switch {
	case uid == 0:
		dir = "/run/rgate"
	case runtime != "":
		dir = filepath.Join(runtime, "rgate")
	}
	return filepath.Join(dir, strconv.Itoa(port)+".sock")
}

// Listen opens the socket at path for the owner alone, in a directory that no
// one else may write to. A socket of one's own that a dead process left is
// replaced. Nothing else is: not one that a living process answers on, nor a
// file of another kind or owner. To close it leaves the file, which File.Remove
// removes.
func Listen(path string) (*net.UnixListener, error) {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("cannot make the directory of the admin socket: %w", err)
	}
	if err := private(dir); err != nil {
		return nil, fmt.Errorf("cannot put the admin socket there: %w", err)
	}
	unlock := lock(dir) // two that start at once must not take each other's for dead
	defer unlock()
	addr := &net.UnixAddr{Name: path, Net: "unix"}
	l, err := net.ListenUnix("unix", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		if err := removeDead(path); err != nil {
			return nil, err
		}
		l, err = net.ListenUnix("unix", addr)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot open the admin socket: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		_ = l.Close()
		return nil, fmt.Errorf("cannot protect the admin socket: %w", err)
	}
	l.SetUnlinkOnClose(false) // by then another file may be there
	return l, nil
}

// removeDead removes a socket that nobody listens on any more.
func removeDead(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil // it went just now
	case err != nil:
		return fmt.Errorf("cannot look at the admin socket: %w", err)
	case info.Mode().Type() != os.ModeSocket:
		return fmt.Errorf("cannot listen on %s: it is there and is no socket; set admin.socket to another path, or remove it", path)
	case !ours(info):
		return fmt.Errorf("cannot listen on %s: it is another user's; set admin.socket to another path", path)
	}
	conn, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: path, Net: "unix"})
	if err == nil {
		_ = conn.Close()
	}
	// Anything else than a refusal, such as a full queue (EAGAIN), is a sign of life.
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("cannot listen on %s: another rgate answers there; set admin.socket to another path", path)
	}
	if err := os.Remove(path); err != nil {
		return fmt.Errorf("cannot replace a dead admin socket: %w", err)
	}
	return nil
}

// File is one file, whatever its name: another one at its path is not it. The
// zero File is none.
type File struct {
	Device uint64 `json:"device"`
	Inode  uint64 `json:"inode"`
}

// Remove removes the file at path if it is f. A listener keeps f's inode from
// being another file's, so it is closed after that.
func (f File) Remove(path string) {
	if f != (File{}) && FileOf(path) == f {
		_ = os.Remove(path) // a dead socket does no harm, and makes way
	}
}
