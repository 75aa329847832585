package demo

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"
)

// lease shows other demos that this one lives, so that what it made is no
// leftover to them. It is a socket that accepts connections: after a crash
// nothing answers on it.
type lease struct {
	id       string
	listener net.Listener
}

func takeLease() (*lease, error) {
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails
	id := hex.EncodeToString(b[:])
	l, err := net.Listen("unix", leasePath(id))
	if err != nil {
		return nil, fmt.Errorf("cannot mark this demo as running: %w", err)
	}
	return &lease{id: id, listener: l}, nil
}

// drop also removes the socket's file.
func (l *lease) drop() { _ = l.listener.Close() }

// lives tells whether the demo with this id runs, or may: another user's cannot
// be asked. The file that a dead one left is removed.
func lives(id string) bool {
	conn, err := net.Dial("unix", leasePath(id))
	switch {
	case err == nil:
		_ = conn.Close()
		return true
	case errors.Is(err, syscall.ECONNREFUSED):
		_ = os.Remove(leasePath(id))
		return false
	}
	return !errors.Is(err, fs.ErrNotExist)
}

// leasePath keeps to one directory whatever an id from a label says.
func leasePath(id string) string {
	return filepath.Join(os.TempDir(), "rgate-demo-"+filepath.Base(id)+".sock")
}
