package handover

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/coreos/go-systemd/v22/activation"
)

// The environment that a successor is started with, besides systemd's.
const (
	envLine = "RGATE_PREDECESSOR" // two descriptors: where to say ready, and the true stderr
	envNote = "RGATE_NOTE"
)

const ready = "ready\n"

// Inheritance is what whoever started this process left to it. The zero value
// is none.
type Inheritance struct {
	Note      string // what the predecessor wants remembered
	successor bool
	sockets   []Socket
	line      *os.File // to the predecessor; nil where there is none
	hears     bool     // Listen closes the line
	stderr    *os.File // what stderr is once the predecessor need not read it; nil from then on
}

// Inherit takes the inheritance, once: the environment no longer tells of it.
func Inherit() (*Inheritance, error) {
	i := &Inheritance{Note: os.Getenv(envNote)}
	line, successor := os.LookupEnv(envLine)
	_ = os.Unsetenv(envNote) // cannot fail, as the next
	_ = os.Unsetenv(envLine)
	if i.successor = successor; successor {
		if err := i.hold(line); err != nil {
			return nil, err
		}
		// A predecessor cannot know our pid before it has started us.
		_ = os.Setenv("LISTEN_PID", strconv.Itoa(os.Getpid()))
	}
	for n, f := range activation.Files(true) {
		l, err := net.FileListener(f)
		_ = f.Close() // l has a descriptor of its own
		if err != nil {
			i.Close()
			return nil, fmt.Errorf("cannot use the inherited descriptor %s: it is no listening socket: %w", f.Name(), err)
		}
		i.sockets = append(i.sockets, Socket{l, passedName(f.Name(), n, successor)})
	}
	return i, nil
}

func (i *Inheritance) hold(line string) error {
	a, b, _ := strings.Cut(line, ":")
	to, err1 := strconv.Atoi(a)
	stderr, err2 := strconv.Atoi(b)
	if err := errors.Join(err1, err2); err != nil {
		return fmt.Errorf("%s is for rgate alone to set: %w", envLine, err)
	}
	i.line, i.stderr = inheritedLine(to), inherited(stderr, "stderr")
	return nil
}

// Successor tells whether a predecessor started this process, and serves until
// it hears that this one is ready.
func (i *Inheritance) Successor() bool { return i.successor }

// Take hands out the first socket of a network ("tcp", "unix"), which is then
// the caller's; without a listener where there is none.
func (i *Inheritance) Take(network string) Socket {
	for n, s := range i.sockets {
		if s.Addr().Network() == network {
			i.sockets = append(i.sockets[:n], i.sockets[n+1:]...)
			return s
		}
	}
	return Socket{}
}

// Discard closes the sockets that nobody took, and answers how many.
func (i *Inheritance) Discard() int {
	n := len(i.sockets)
	for _, s := range i.sockets {
		_ = s.Close()
	}
	i.sockets = nil
	return n
}

// Ready tells the predecessor that this process serves. The error is that the
// predecessor is gone.
func (i *Inheritance) Ready() error {
	if i.line == nil || i.stderr == nil {
		return nil
	}
	defer func() {
		_ = i.stderr.Close()
		i.stderr = nil
		if !i.hears {
			i.Close()
		}
	}()
	if err := becomeStderr(i.stderr); err != nil {
		return fmt.Errorf("cannot take over stderr: %w", err)
	}
	if _, err := i.line.WriteString(ready); err != nil {
		return fmt.Errorf("cannot tell the process before this one: %w", err)
	}
	return nil
}

// Close lets go of what nobody took and of the predecessor, who learns by it
// that this process will not be ready unless it said so.
func (i *Inheritance) Close() {
	i.Discard()
	if i.line != nil {
		_ = i.line.Close()
		i.line = nil
	}
	if i.stderr != nil {
		_ = i.stderr.Close()
		i.stderr = nil
	}
}

// Listen gives each line that the predecessor says to each, until that has no
// more to say or ctx ends. It is called before Ready, and run beside it.
func (i *Inheritance) Listen() (run func(ctx context.Context, each func(text []byte))) {
	line := i.line
	i.hears = line != nil
	return func(ctx context.Context, each func([]byte)) {
		if line == nil {
			return
		}
		defer line.Close()
		stop := context.AfterFunc(ctx, func() { _ = line.SetReadDeadline(time.Now()) })
		defer stop()
		eachLine(line, each)
	}
}

// Line is where the predecessor hears, once this process is ready, what it has
// to say; nil where there is none. Listen closes it.
func (i *Inheritance) Line() *os.File { return i.line }

// eachLine gives each line of r to each.
func eachLine(r io.Reader, each func(text []byte)) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		each(lines.Bytes())
	}
}

// maxLine bounds what is said at a time.
const maxLine = 1 << 20
