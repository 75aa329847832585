package acme

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/mholt/acmez/v3/acme"
)

// command is a program of the operator's that sets TXT records. It is called
// with `set` or `remove`, the record's name and its value, and returns once that
// can be seen.
type command []string

// commandTime is how long a command may take.
const commandTime = 5 * time.Minute

// Present implements acmez.Solver.
func (c command) Present(ctx context.Context, ch acme.Challenge) error { return c.run(ctx, "set", ch) }

// CleanUp implements acmez.Solver. It comes after the end of ctx, too.
func (c command) CleanUp(ctx context.Context, ch acme.Challenge) error {
	return c.run(context.WithoutCancel(ctx), "remove", ch)
}

func (c command) run(ctx context.Context, action string, ch acme.Challenge) error {
	ctx, cancel := context.WithTimeout(ctx, commandTime)
	defer cancel()
	args := append(append([]string{}, c[1:]...), action, ch.DNS01TXTRecordName(), ch.DNS01KeyAuthorization())
	cmd := exec.CommandContext(ctx, c[0], args...)
	var said tail
	cmd.Stdout, cmd.Stderr = &said, &said
	cmd.WaitDelay = time.Second // for what it started and left behind
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME")}
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("`%s %s` failed: %w: %s", c[0], action, err, strings.TrimSpace(said.String()))
	}
	return nil
}

// tail is the end of what a program said.
type tail struct{ bytes.Buffer }

// Write implements io.Writer.
func (t *tail) Write(b []byte) (int, error) {
	const most = 1000
	n, err := t.Buffer.Write(b)
	if over := t.Len() - most; over > 0 {
		t.Next(over)
	}
	return n, err
}
