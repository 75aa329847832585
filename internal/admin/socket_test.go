package admin

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

func TestSocketPath(t *testing.T) {
	t.Setenv("TMPDIR", "/tmp/of-mine")
	for _, c := range []struct {
		uid     int
		runtime string
		want    string
	}{
		{0, "", "/run/rgate/8080.sock"},
		{0, "/run/user/0", "/run/rgate/8080.sock"},
		{1000, "/run/user/1000", "/run/user/1000/rgate/8080.sock"},
		{1000, "", "/tmp/of-mine/rgate-1000/8080.sock"},
	} {
		if got := socketPath(8080, c.uid, c.runtime); got != c.want {
			t.Errorf("uid %d, runtime directory %q: %s instead of %s", c.uid, c.runtime, got, c.want)
		}
	}
	t.Setenv("XDG_RUNTIME_DIR", "/run/user/7")
	if got, want := SocketPath(9), socketPath(9, os.Getuid(), "/run/user/7"); got != want {
		t.Errorf("%s instead of %s", got, want)
	}
	if got := SocketPath(9); !strings.HasSuffix(got, "/"+strconv.Itoa(9)+".sock") {
		t.Errorf("no port in %s", got)
	}
}

// short is a directory whose name leaves room in a socket's path.
func short(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "rga")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func TestListenIsForTheOwnerAlone(t *testing.T) {
	path := filepath.Join(short(t), "sub", "a.sock")
	l, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for name, want := range map[string]os.FileMode{path: 0o600, filepath.Dir(path): 0o700} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s has mode %o instead of %o", name, got, want)
		}
	}
}

func TestListenLeavesALivingSocketAlone(t *testing.T) {
	path := filepath.Join(short(t), "a.sock")
	first, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	if _, err := Listen(path); err == nil || !strings.Contains(err.Error(), "another rgate answers there") {
		t.Fatalf("second Listen: %v", err)
	}
	conn, err := net.Dial("unix", path)
	if err != nil {
		t.Fatalf("the first no longer answers: %v", err)
	}
	_ = conn.Close()
}

func TestListenReplacesADeadSocket(t *testing.T) {
	path := filepath.Join(short(t), "a.sock")
	dead, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	dead.SetUnlinkOnClose(false)
	_ = dead.Close()
	l, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	conn, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.Close()
}

func TestListenSaysWhyItCannot(t *testing.T) {
	dir := short(t)
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	full := filepath.Join(dir, "full")
	if err := os.MkdirAll(filepath.Join(full, "inside"), 0o700); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		filepath.Join(file, "a.sock"):                  "cannot make the directory of the admin socket",
		filepath.Join(dir, strings.Repeat("long", 40)): "cannot open the admin socket",
		file: "it is there and is no socket",
		full: "it is there and is no socket",
	} {
		if l, err := Listen(path); err == nil || !strings.Contains(err.Error(), want) {
			if err == nil {
				_ = l.Close()
			}
			t.Errorf("%s: %v instead of %q", path, err, want)
		}
	}
}
