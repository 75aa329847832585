//go:build !linux

package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "bench: needs Linux: it measures with epoll and /proc, and installs Debian packages")
	os.Exit(1)
}
