package enginetest

import (
	"context"
	"testing"
)

// T is what is needed of a test, so that a program can take its place.
type T interface {
	Helper()
	Context() context.Context // ends before the cleanups run
	Cleanup(func())
	TempDir() string
	Failed() bool
	Logf(format string, args ...any)
	Errorf(format string, args ...any)
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

var _ T = testing.TB(nil)
