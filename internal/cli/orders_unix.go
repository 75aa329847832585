//go:build unix

package cli

import (
	"os"
	"syscall"
)

var upgradeSignals = []os.Signal{syscall.SIGUSR2}
