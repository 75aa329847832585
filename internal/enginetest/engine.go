package enginetest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"os"
	"testing"
	"time"

	"github.com/moby/moby/client"
)

// Label is on everything tests make; its value tells the test apart.
const Label = "rgate.test"

// Engine is a Docker engine for a test.
type Engine struct {
	Host   string         // such as unix:///var/run/docker.sock
	Client *client.Client // for what the methods do not offer
	daemon *daemon        // nil for the machine's
}

// Machine is the machine's engine (DOCKER_HOST, else the local socket), which
// is not to be stopped, hung or restarted. Where none answers it is a private
// one. A test that cannot have either fails.
func Machine(t T) *Engine {
	t.Helper()
	host := os.Getenv("DOCKER_HOST")
	if host == "" {
		host = client.DefaultDockerHost
	}
	e := &Engine{Host: host, Client: dial(t, host)}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if _, err := e.Client.Ping(ctx, client.PingOptions{}); err != nil {
		t.Logf("no engine answers at %s: %v", host, err)
		return Private(t, PrivateOptions{})
	}
	return e
}

func needsEngine(t T) {
	t.Helper()
	if test, ok := t.(testing.TB); ok && testing.Short() {
		test.Skip("needs a Docker engine, which -short does without")
	}
}

func dial(t T, host string) *client.Client {
	t.Helper()
	c, err := client.New(client.WithHost(host))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// Unique is a short name that no other test has.
func Unique() string {
	var b [5]byte
	_, _ = rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// cleaning bounds what cleanups do, whose tests' contexts have ended already.
func cleaning() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), 30*time.Second)
}
