// Command ping succeeds if the Docker engine that the tests would use answers:
// the one of DOCKER_HOST, else the local socket. The tests' machine may lack
// docker and curl, but it has Go.
package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"time"

	"github.com/moby/moby/client"
)

func main() {
	if err := ping(cmp.Or(os.Getenv("DOCKER_HOST"), client.DefaultDockerHost)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func ping(host string) error {
	c, err := client.New(client.WithHost(host))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	_, err = c.Ping(ctx, client.PingOptions{})
	return err
}
