//go:build unix

package gateway

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"rgate/internal/config"
)

// A path that has become a pipe, or a directory, stops neither reloads nor the
// end of the gateway.
func TestTheConfigPathIsNoFileAnyMore(t *testing.T) {
	for kind, make := range map[string]func(string) error{
		"a pipe":      func(path string) error { return syscall.Mkfifo(path, 0o600) },
		"a directory": func(path string) error { return os.Mkdir(path, 0o700) },
	} {
		t.Run(kind, func(t *testing.T) {
			r := start(t, staticConfig(backend(t, "one")), nil)
			if err := errors.Join(os.Remove(r.file), make(r.file)); err != nil {
				t.Fatal(err)
			}
			if _, err := r.Reload(); err == nil || !strings.Contains(err.Error(), "it is "+kind) {
				t.Fatalf("%v instead of that it is %s", err, kind)
			}
			if status, _ := r.get("/"); status != 200 {
				t.Errorf("it answers %d", status)
			}
			if err := os.Remove(r.file); err != nil {
				t.Fatal(err)
			}
			r.write(staticConfig(backend(t, "two")))
			until(t, "the file is read again", func() bool { _, body := r.get("/"); return body == "two" })
			if err := errors.Join(os.Remove(r.file), make(r.file)); err != nil {
				t.Fatal(err)
			}
			if err := r.stop(); err != nil {
				t.Error(err)
			}
		})
	}
}

// A read that hangs, as on a network file system, is given up: commands are
// told so, the log says it once, and the owner goes on.
func TestReadingTheConfigHangs(t *testing.T) {
	var hangs atomic.Bool
	hangs.Store(true)
	release := make(chan struct{})
	cfg, err := config.Parse("config.yml", []byte(staticConfig(backend(t, "one"))), nil)
	if err != nil {
		t.Fatal(err)
	}
	next := staticConfig(backend(t, "two"))
	r := run(t, Options{Config: cfg, File: "config.yml", Poll: time.Millisecond}, func(g *Gateway) {
		g.file.patience = 20 * time.Millisecond
		g.file.read = func() (config.Text, error) {
			if hangs.Load() {
				<-release
			}
			return config.Text{Main: []byte(next)}, nil
		}
	})
	for range 2 * maxStuck {
		if _, err := r.Reload(); err == nil || !strings.Contains(err.Error(), "cannot read config.yml: nothing came") {
			t.Fatalf("a reload that cannot read: %v", err)
		}
	}
	if status, body := r.get("/"); status != 200 || body != "one" {
		t.Errorf("got %d %q", status, body)
	}
	if n := strings.Count(r.log.String(), "the configuration cannot be read"); n != 1 {
		t.Errorf("the log says it %d times", n)
	}
	hangs.Store(false)
	close(release)
	until(t, "the file is read again", func() bool { _, body := r.get("/"); return body == "two" })
	until(t, "no read is left", func() bool { return r.Gateway.file.stuck.Load() == 0 })
}

func TestAHangingReadDoesNotKeepTheGatewayFromEnding(t *testing.T) {
	release, begun := make(chan struct{}), make(chan struct{}, 100)
	defer close(release)
	cfg, err := config.Parse("config.yml", []byte(staticConfig("127.0.0.1:1")), nil)
	if err != nil {
		t.Fatal(err)
	}
	r := run(t, Options{Config: cfg, File: "config.yml", Poll: time.Millisecond}, func(g *Gateway) {
		g.file.read = func() (config.Text, error) {
			begun <- struct{}{}
			<-release
			return config.Text{}, os.ErrNotExist
		}
	})
	<-begun
	asked := make(chan error, 1)
	go func() { _, err := r.Reload(); asked <- err }()
	if err := r.stop(); err != nil {
		t.Error(err)
	}
	if err := <-asked; err == nil {
		t.Error("who waited for it hears of no error")
	}
}

// A file that is still being written is not loaded, though what is there so far
// may be valid. A command is the user's word and is obeyed at once.
func TestAChangeIsLoadedOnceTwoPollsAgree(t *testing.T) {
	text := func(s string) fileText { return fileText{Text: config.Text{Main: []byte(s)}} }
	f := newConfigFile("config.yml", text("old: 1\n").Sum(), nil)
	for n, c := range []struct {
		read    fileText
		settled bool
	}{
		{text("old: 1\n"), false},
		{text("new: 1\n"), false},
		{text("new: 1\nmore: 2\n"), false},
		{fileText{err: os.ErrNotExist}, false},
		{text("new: 1\nmore: 2\n"), false},
		{text("new: 1\nmore: 2\n"), true},
		{text("old: 1\n"), false},
		{text("new: 1\n"), false},
	} {
		if got := f.settled(c.read); got != c.settled {
			t.Errorf("poll %d: settled is %v", n, got)
		}
	}
	_, _ = f.parse(text("new: 1\n")) // by a command; bad, which is told once
	for range 3 {
		if f.settled(text("new: 1\n")) {
			t.Error("what a command has loaded is loaded again")
		}
	}
}

// What the gateway was made from is what a poll compares with, not what the
// file was when it began to run.
func TestAChangeBeforeTheFirstPollIsSeen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.yml")
	cfg, err := config.Parse(path, []byte(staticConfig("127.0.0.1:1")), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(staticConfig(backend(t, "two"))), 0o600); err != nil {
		t.Fatal(err)
	}
	r := run(t, Options{Config: cfg, File: path, Poll: time.Millisecond}, nil)
	until(t, "the new backend answers", func() bool { _, body := r.get("/"); return body == "two" })
}

// A file that the configuration names is part of it: its change is one of the
// configuration, and a mistake in it keeps what is running.
func TestAFileThatIsNamedChanges(t *testing.T) {
	dir := t.TempDir()
	list := filepath.Join(dir, "denied.txt")
	write := func(text string) {
		t.Helper()
		err := os.WriteFile(list+".new", []byte(text), 0o600) // whole: an empty one denies nobody
		if err == nil {
			err = os.Rename(list+".new", list)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	write("192.0.2.7\n")
	file := filepath.Join(dir, "config.yml")
	text := "routes: [{path_prefix: /, respond: {body: hi}, ip: {deny: [{file: denied.txt}]}}]\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(file, nil)
	if err != nil {
		t.Fatal(err)
	}
	r := run(t, Options{Config: cfg, File: file, Poll: time.Millisecond}, nil)
	gets := func(want int) func() bool {
		return func() bool { status, _ := r.get("/"); return status == want }
	}
	until(t, "nobody is denied", gets(200))
	write("127.0.0.0/8\n")
	until(t, "the change is seen", gets(403))
	write("127.0.0.0/7 or so\n")
	until(t, "the mistake is told", func() bool { return strings.Contains(r.log.String(), "line 1 of `denied.txt`") })
	if !gets(403)() {
		t.Error("a mistake changes what is running")
	}
	write("")
	until(t, "it is mended", gets(200))
}
