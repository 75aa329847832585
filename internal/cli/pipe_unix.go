//go:build unix

package cli

import (
	"os"
	"os/signal"
	"syscall"
)

// outliveReaders has the end of a reader of stdout or stderr be an error of the
// write, not the end of the process. The signal is caught rather than ignored,
// as programs that this one starts would inherit that it is.
func outliveReaders() (stop func()) {
	unheard := make(chan os.Signal, 1)
	signal.Notify(unheard, syscall.SIGPIPE)
	return func() { signal.Stop(unheard) }
}
