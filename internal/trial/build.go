package trial

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// Build makes rgate at a path, as `make build` does.
func Build(ctx context.Context, path string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", path, "rgate/cmd/rgate")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("cannot build rgate: %s", strings.TrimSpace(string(out)))
	}
	return nil
}
