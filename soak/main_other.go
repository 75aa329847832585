//go:build !linux

package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "soak: needs Linux, as containers are to be reached by their own addresses")
	os.Exit(1)
}
