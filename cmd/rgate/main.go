// Command rgate is an HTTP gateway for containers.
package main

import (
	"context"
	"os"

	"rgate/internal/cli"
)

func main() {
	os.Exit(cli.Main(context.Background(), os.Args[1:], cli.Process{Stdout: os.Stdout, Stderr: os.Stderr}))
}
