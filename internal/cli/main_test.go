package cli

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if os.Getenv(envMain) != "" {
		actAsRgate()
	}
	goleak.VerifyTestMain(m)
}

// answer is what a command left behind.
type answer struct {
	code           int
	stdout, stderr string
}

// rgate runs a command that ends by itself.
func rgate(t *testing.T, args ...string) answer {
	t.Helper()
	var out, errs bytes.Buffer
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	code := Main(ctx, args, Process{Stdout: &out, Stderr: &errs})
	return answer{code, out.String(), errs.String()}
}

// want fails unless the exit code is code, and the texts are in the output.
func (a answer) want(t *testing.T, code int, texts ...string) {
	t.Helper()
	if a.code != code {
		t.Errorf("exit code %d instead of %d", a.code, code)
	}
	for _, text := range texts {
		if !strings.Contains(a.stdout+a.stderr, text) {
			t.Errorf("%q is not in the output", text)
		}
	}
	if t.Failed() {
		t.Logf("stdout:\n%s\nstderr:\n%s", a.stdout, a.stderr)
	}
}

// file writes a configuration and returns its path.
func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.yml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// buffer may be written and read at once.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// patience is how long what must come is waited for, on however busy a machine.
const patience = 30 * time.Second

// until waits for something that another goroutine brings about.
func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !done() {
		if time.Now().After(deadline) {
			t.Fatalf("did not come about in %v: %s", patience, what)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

func TestExitCodes(t *testing.T) {
	for _, c := range []struct {
		err  error
		code int
	}{{nil, 0}, {errors.New("broken"), 1}, {usageError{errors.New("wrong")}, 2}} {
		var errs bytes.Buffer
		if got := (Process{Stderr: &errs, Env: os.LookupEnv}).report(c.err); got != c.code {
			t.Errorf("%v: %d instead of %d", c.err, got, c.code)
		}
		if c.err != nil && errs.String() != "rgate: "+c.err.Error()+"\n" {
			t.Errorf("%v: said %q", c.err, errs.String())
		}
	}
}
