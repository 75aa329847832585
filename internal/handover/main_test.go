package handover

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// envAct has the test binary act as a successor.
const envAct = "RGATE_TEST_ACT"

func TestMain(m *testing.M) {
	if act := os.Getenv(envAct); act != "" {
		os.Exit(acts[act]())
	}
	goleak.VerifyTestMain(m)
}

var acts = map[string]func() int{
	"serve": serve,
	"end": func() int {
		fmt.Fprintln(os.Stderr, "a first line\nthere is no luck today")
		return 3
	},
	"end well": func() int { return 0 },
	"leave a child": func() int { // which holds all that it inherited
		child := exec.Command("sleep", "3600")
		child.Stderr = os.Stderr
		if err := child.Start(); err != nil {
			panic(err)
		}
		fmt.Fprintln(os.Stderr, child.Process.Pid)
		return 3
	},
	"talk": func() int {
		for n := range 5000 {
			fmt.Fprintln(os.Stderr, "line", n)
		}
		return 1
	},
	"hang": func() int {
		fmt.Fprintln(os.Stderr, "this takes its time")
		time.Sleep(time.Hour)
		return 0
	},
	"let go and hang": func() int {
		i, err := Inherit()
		if err != nil {
			panic(err)
		}
		i.Close()
		time.Sleep(time.Hour)
		return 0
	},
}

// serve says who it is to each connection until one says "end".
func serve() int {
	i, err := Inherit()
	if err != nil || !i.Successor() || i.Replaceable() != nil {
		panic(fmt.Sprint(err, i))
	}
	l := i.Take("tcp")
	names := []string{l.Name}
	for _, s := range i.sockets {
		names = append(names, s.Name)
	}
	unused := i.Discard()
	fmt.Fprintln(os.Stderr, "it starts")
	if err := i.Ready(); err != nil {
		panic(err)
	}
	fmt.Fprintln(os.Stderr, "it serves")
	for {
		c, err := l.Accept()
		if err != nil {
			panic(err)
		}
		fmt.Fprintf(c, "pid=%d note=%q unused=%d names=%q fds=%s env=%q\n", os.Getpid(), i.Note, unused, names, descriptors(), left())
		word, _ := bufio.NewReader(c).ReadString('\n')
		_ = c.Close()
		if word == "end\n" {
			return 0
		}
	}
}

// descriptors are those that are open, as what they stand for.
func descriptors() string {
	names, err := filepath.Glob("/proc/self/fd/*")
	if err != nil {
		panic(err)
	}
	var all []string
	for _, name := range names {
		if to, err := os.Readlink(name); err == nil && !strings.HasPrefix(to, "anon_inode:") {
			all = append(all, strings.TrimRight(filepath.Base(name)+"="+to, "0123456789[]"))
		}
	}
	return strings.Join(all, ",")
}

// left is what of the environment could mislead a program started from here.
func left() (names []string) {
	for _, v := range os.Environ() {
		if name, _, _ := strings.Cut(v, "="); strings.HasPrefix(name, "LISTEN_") || name == envLine || name == envNote || name == "WATCHDOG_PID" {
			names = append(names, name)
		}
	}
	return names
}

func listen(t *testing.T) *net.TCPListener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l.(*net.TCPListener)
}

// acting is this binary as a program that acts, and what it said.
func acting(t *testing.T, act string) (p *Program, said func() string) {
	t.Helper()
	t.Setenv(envAct, act)
	name := filepath.Join(t.TempDir(), "stderr")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	p = Self()
	p.Stderr = f
	return p, func() string {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
}
