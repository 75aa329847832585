package authority

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// fileName is the file of the root in its directory, which nothing else is in.
const fileName = "authority.pem"

// File is the path of the root below a state directory.
func File(stateDir string) string { return filepath.Join(stateDir, "internal", fileName) }

// errNoRoom is that there is no directory to keep a root in.
var errNoRoom = errors.New("it cannot be kept")

// keep is the root in a file, which is made where there is none. Two processes
// that begin at once have the same: the first to link its file there wins.
func keep(file, host string, now time.Time) (*root, error) {
	r, err := readRoot(file)
	switch {
	case err == nil && !r.worn(now):
		return r, nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	fresh, err := newRoot(host, now)
	if err != nil {
		return nil, err
	}
	temporary, err := writeRoot(filepath.Dir(file), fresh)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNoRoom, err)
	}
	defer func() { _ = os.Remove(temporary) }()
	if r != nil { // its last days: the new one takes its place
		if err := os.Rename(temporary, file); err != nil {
			return nil, fmt.Errorf("cannot replace %s: %w", file, err)
		}
		return fresh, nil
	}
	switch err := os.Link(temporary, file); {
	case errors.Is(err, fs.ErrExist):
		return readRoot(file)
	case err != nil:
		return nil, fmt.Errorf("%w: %w", errNoRoom, err)
	}
	return fresh, nil
}

// writeRoot writes a root into a file of a name that nobody else has.
func writeRoot(dir string, r *root) (path string, err error) {
	text, err := r.text()
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	if err := ownAlone(dir); err != nil {
		return "", err
	}
	f, err := os.CreateTemp(dir, "."+fileName+"-*") // mode 0600
	if err != nil {
		return "", err
	}
	_, err = f.Write(text)
	err = errors.Join(err, f.Sync(), f.Close())
	if err != nil {
		_ = os.Remove(f.Name())
		return "", err
	}
	return f.Name(), nil
}

// largest bounds what is read of a file, which has a kilobyte.
const largest = 64 << 10

// readRoot reads a file that this user and root alone can have written and read.
func readRoot(file string) (*root, error) {
	f, err := os.OpenFile(file, os.O_RDONLY|straight, 0)
	if err != nil {
		return nil, fmt.Errorf("cannot read the authority: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err == nil {
		err = readable(file, info)
	}
	if err != nil {
		return nil, err
	}
	text := make([]byte, info.Size())
	if n, err := f.ReadAt(text, 0); n < len(text) {
		return nil, fmt.Errorf("cannot read the authority %s: %w", file, err)
	}
	r, err := parseRoot(text)
	if err != nil {
		return nil, fmt.Errorf("cannot use the authority %s: %w (remove it to have a new one made, which has to be trusted anew)", file, err)
	}
	return r, nil
}

// readable tells why what is in a file must not be trusted.
func readable(file string, info fs.FileInfo) error {
	switch mode := info.Mode(); {
	case !mode.IsRegular() || info.Size() > largest:
		return fmt.Errorf("cannot use the authority %s: it is no file that rgate made", file)
	case mode.Perm()&0o077 != 0:
		return fmt.Errorf("cannot use the authority %s: others may read or write it (mode %04o): who may have read it can be whom they like to those who trust it; remove it to have a new one made, or chmod 600 it where nobody has", file, mode.Perm())
	}
	return ownAlone(filepath.Dir(file))
}

// ownAlone tells why others could put something of theirs into dir.
func ownAlone(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if info.Mode().Perm()&0o022 != 0 {
		return fmt.Errorf("others may write to the directory %s (mode %04o): chmod 700 it", dir, info.Mode().Perm())
	}
	return nil
}
