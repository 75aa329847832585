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

// Listen opens the socket at path for the owner alone. A socket that a dead
// process left is replaced; one that a living process holds is not, even where
// it is too busy to answer, and neither is what is no socket.
func Listen(path string) (*net.UnixListener, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("cannot make the directory of the admin socket: %w", err)
	}
	addr := &net.UnixAddr{Name: path, Net: "unix"}
	l, err := net.ListenUnix("unix", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		if err := removeDead(addr); err != nil {
			return nil, fmt.Errorf("cannot listen on %s: %w", path, err)
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
	return l, nil
}

// removeDead removes a socket that no process listens on.
func removeDead(addr *net.UnixAddr) error {
	if info, err := os.Lstat(addr.Name); err != nil {
		return fmt.Errorf("cannot see what is there: %w", err)
	} else if info.Mode().Type() != os.ModeSocket {
		return errors.New("what is there is no socket, and stays; set admin.socket to another path")
	}
	conn, err := net.DialUnix("unix", nil, addr)
	if err == nil {
		_ = conn.Close()
		return errors.New("another rgate answers there; set admin.socket to another path")
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("another rgate may hold it: %w; set admin.socket to another path", err)
	}
	if err := os.Remove(addr.Name); err != nil {
		return fmt.Errorf("cannot replace a dead admin socket: %w", err)
	}
	return nil
}
