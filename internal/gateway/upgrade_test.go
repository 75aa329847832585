package gateway

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rgate/internal/config"
	"rgate/internal/handover"
)

// early is a gateway that does not run yet, and what comes of an upgrade that
// was asked for all the same.
func early(t *testing.T) (g *Gateway, outcome <-chan error) {
	t.Helper()
	dir := t.TempDir()
	cfg, err := config.Parse("config.yml", []byte("default_response: {}\n"), os.LookupEnv)
	if err != nil {
		t.Fatal(err)
	}
	g, err = New(Options{
		Config: cfg, Listen: "127.0.0.1:0", Socket: filepath.Join(dir, "admin.sock"), Log: newLog(&logBook{}), Source: newFakeSource(),
		Program: &handover.Program{Path: filepath.Join(dir, "absent"), Args: []string{"rgate"}, Stderr: os.Stderr},
	})
	if err != nil {
		t.Fatal(err)
	}
	asked := make(chan error, 1)
	go func() {
		_, err := g.Upgrade()
		asked <- err
	}()
	until(t, "the upgrade is under way", func() bool { return len(g.succession.turn) == 1 })
	return g, asked
}

// Whoever upgrades twice in a row can reach the new process while it still
// takes over.
func TestAnUpgradeWaitsUntilTheProcessServes(t *testing.T) {
	g, asked := early(t)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- g.Run(ctx) }()
	if err := <-asked; err == nil || !strings.Contains(err.Error(), "absent") {
		t.Errorf("%v instead of a word about the program that is absent", err)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("Run: %v", err)
	}
}

func TestAnUpgradeDoesNotOutwaitAProcessThatNeverServes(t *testing.T) {
	g, asked := early(t)
	g.handed = true // so that it waits before it serves
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := g.Run(ended); err != nil {
		t.Errorf("Run: %v", err)
	}
	if err := <-asked; err == nil || !strings.Contains(err.Error(), "about to end") {
		t.Errorf("%v instead of that it is about to end", err)
	}
}
