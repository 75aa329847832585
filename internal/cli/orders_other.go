//go:build !unix

package cli

import "os"

var upgradeSignals []os.Signal // there is none
