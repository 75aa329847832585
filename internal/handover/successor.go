package handover

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// Start starts p's successor, leaves it note and the sockets, and returns its
// process id once it says that it is ready. One that ends before, or is not
// ready within limit or before ctx ends, is killed; the error tells why it was
// not ready, and the last that it said.
func (p *Program) Start(ctx context.Context, limit time.Duration, note string, sockets ...Socket) (pid int, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("it was not ready within %v", limit))
	defer cancel()
	s := &successor{told: make(chan bool, 1), ended: make(chan struct{}), heard: make(chan struct{})}
	if err := s.start(p, note, sockets); err != nil {
		return 0, fmt.Errorf("cannot start the new process: %w", err)
	}
	err = s.await(ctx)
	words := s.lastWords()
	if err != nil || p.Speak == nil {
		_ = s.line.Close()
	}
	if err != nil {
		return 0, fmt.Errorf("the new process (%d, of %s) does not take over: %w%s", s.cmd.Process.Pid, p.Path, err, words)
	}
	return s.cmd.Process.Pid, nil
}

// successor is a process that was started and has not said that it is ready.
type successor struct {
	cmd    *exec.Cmd
	told   chan bool     // gets whether it said that it is ready, once
	ended  chan struct{} // closed once it has ended and status is set
	status error
	line   *os.File      // to it and back
	mouth  *os.File      // what it says comes from here
	heard  chan struct{} // closed once words is complete
	words  tail
}

func (s *successor) start(p *Program, note string, sockets []Socket) error {
	var theirs []*os.File
	defer func() {
		for _, f := range theirs {
			_ = f.Close() // the process has its own by now, or there is none
		}
	}()
	for _, socket := range sockets {
		f, err := duplicate(socket.Listener)
		if err != nil {
			return fmt.Errorf("cannot hand over %s: %w", socket.Addr(), err)
		}
		theirs = append(theirs, f)
	}
	line, say, err := pair()
	if err != nil {
		return err
	}
	mouth, speak, err := os.Pipe()
	if err != nil {
		_, _ = line.Close(), say.Close()
		return err
	}
	theirs = append(theirs, say, speak)
	s.mouth = mouth
	s.cmd = &exec.Cmd{
		Path: p.Path, Args: p.Args, Env: environment(os.Environ(), sockets, note),
		Stdout: os.Stdout, Stderr: speak,
		ExtraFiles: append(append([]*os.File(nil), theirs[:len(sockets)+1]...), p.Stderr),
	}
	if err := s.cmd.Start(); err != nil {
		_, _ = line.Close(), mouth.Close()
		return err
	}
	s.line = line
	go s.listen(p.Heed)
	if p.Speak != nil {
		p.Speak(line)
	}
	if p.Echo != nil {
		go s.hear(p.Echo)
	} else {
		go s.hear(p.Stderr)
	}
	go func() {
		s.status = s.cmd.Wait()
		close(s.ended)
	}()
	return nil
}

// environment is own, with what tells a successor of the sockets, the line and
// the true stderr, which follow each other from descriptor 3 on.
func environment(own []string, sockets []Socket, note string) []string {
	var env []string
	for _, v := range own {
		// The watchdog's pid is that of this process.
		if !strings.HasPrefix(v, "WATCHDOG_PID=") && !strings.HasPrefix(v, "LISTEN_") {
			env = append(env, v)
		}
	}
	n := len(sockets)
	return append(env, "LISTEN_FDS="+strconv.Itoa(n), "LISTEN_FDNAMES="+namesOf(sockets),
		fmt.Sprintf("%s=%d:%d", envLine, firstDescriptor+n, firstDescriptor+n+1), envNote+"="+note)
}

// listen waits for the word on the line, or its end, and passes on what follows.
func (s *successor) listen(heed func(text []byte)) {
	word := make([]byte, len(ready))
	n, _ := io.ReadFull(s.line, word)
	ok := string(word[:n]) == ready
	s.told <- ok
	if ok && heed != nil {
		eachLine(s.line, heed)
		heed(nil)
	}
}

// hear passes on what it says until it speaks for itself, line by line.
func (s *successor) hear(echo io.Writer) {
	defer close(s.heard)
	defer s.mouth.Close()
	lines := bufio.NewReader(s.mouth)
	for {
		line, err := lines.ReadSlice('\n')
		s.words.add(line)
		if len(line) > 0 {
			_, _ = echo.Write(line) // it must not die of our stderr's being closed
		}
		if err != nil && err != bufio.ErrBufferFull {
			return
		}
	}
}

// await returns nil once it is ready. Otherwise it is gone by then.
func (s *successor) await(ctx context.Context) error {
	select {
	case ok := <-s.told:
		if ok && !s.hasEnded() {
			return nil
		}
		select { // it has let go of the line: it is ending, or is no rgate
		case <-s.ended:
		case <-ctx.Done():
		}
	case <-s.ended: // what it started may hold the line still
	case <-ctx.Done():
	}
	if s.hasEnded() {
		if s.status == nil {
			return errors.New("it ended (exit status 0)")
		}
		return fmt.Errorf("it ended (%w)", s.status)
	}
	_ = s.cmd.Process.Kill() // the error is that it has just ended
	<-s.ended
	return context.Cause(ctx)
}

func (s *successor) hasEnded() bool {
	select {
	case <-s.ended:
		return true
	default:
		return false
	}
}

// lastWords are what it said last, for an error's end. It is gone by then, or
// speaks for itself.
func (s *successor) lastWords() string {
	// What it started may live on and hold its stderr.
	_ = s.mouth.SetReadDeadline(time.Now().Add(time.Second))
	<-s.heard
	if text := s.words.String(); text != "" {
		return "; it said:\n" + text
	}
	return ""
}
