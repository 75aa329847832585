package enginetest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
)

// compiled remembers static binaries by package, one build per test process.
var compiled sync.Map

// Compile builds a package of this module as a static binary, once per test
// process, and answers its bytes.
func Compile(t T, pkg string) []byte {
	t.Helper()
	once, _ := compiled.LoadOrStore(pkg, sync.OnceValues(func() ([]byte, error) { return compile(pkg) }))
	binary, err := once.(func() ([]byte, error))()
	if err != nil {
		t.Fatal(err)
	}
	return binary
}

func compile(pkg string) ([]byte, error) {
	dir, err := os.MkdirTemp("", "rgate-test-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	file := filepath.Join(dir, "binary")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", file, pkg)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOOS=linux")
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("cannot build %s: %w\n%s", pkg, err, out)
	}
	return os.ReadFile(file)
}

// TestServer is the static binary of the test server; see its directory for
// the flags it takes and the paths it answers.
func TestServer(t T) []byte {
	t.Helper()
	return Compile(t, "rgate/internal/enginetest/testserver")
}

// TestServerFile is the test server as an executable file, to be run without
// an engine.
func TestServerFile(t T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "testserver")
	if err := os.WriteFile(file, TestServer(t), 0o755); err != nil {
		t.Fatal(err)
	}
	return file
}
