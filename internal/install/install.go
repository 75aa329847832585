// Package install fetches the programs that rgate is compared with or looked at
// by, where the machine lacks them. Only bench, soak and scripts import it.
package install

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Debian makes sure that tools are there, by Debian's packages if not.
func Debian(tools ...string) error { return install(tools, missing, apt) }

func install(tools []string, missing func(string) bool, run func(argv ...string) error) error {
	var packages []string
	for _, tool := range tools {
		switch {
		case !missing(tool):
		case tool == "taskset":
			packages = append(packages, "util-linux")
		case tool == "h2load":
			packages = append(packages, "nghttp2-client")
		default:
			packages = append(packages, tool)
		}
	}
	if len(packages) == 0 {
		return nil
	}
	fix := "apt-get install --no-install-recommends " + strings.Join(packages, " ")
	if os.Geteuid() != 0 || missing("apt-get") {
		return fmt.Errorf("%s missing: install with `sudo %s`, or what your system has for that", strings.Join(packages, ", "), fix)
	}
	if err := run(append([]string{"apt-get", "install", "-y", "-q", "--no-install-recommends"}, packages...)...); err == nil {
		return nil
	}
	// Most often the lists of packages are old, or there are none yet.
	err := run("apt-get", "update", "-q")
	if err == nil {
		err = run(append([]string{"apt-get", "install", "-y", "-q", "--no-install-recommends"}, packages...)...)
	}
	if err != nil {
		return fmt.Errorf("cannot install: try `%s`: %w", fix, err)
	}
	return nil
}

func missing(tool string) bool {
	_, err := exec.LookPath(tool)
	return err != nil
}

// apt runs quietly, and keeps the new services from starting by themselves.
func apt(argv ...string) error {
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		return errors.New(strings.TrimSpace(string(out)))
	}
	return nil
}

const caddyModule = "github.com/caddyserver/caddy/v2/cmd/caddy"

// CaddyVersion is what Caddy installs. A binary made by go install does not
// know its version.
const CaddyVersion = "v2.11.9"

// Caddy installs Caddy through the Go module proxy, out of the repository, and
// answers its binary.
func Caddy() (binary string, err error) {
	dir, err := filepath.Abs(".cache/bin")
	if err != nil {
		return "", fmt.Errorf("cannot install caddy: %w", err)
	}
	cmd := exec.Command("go", "install", caddyModule+"@"+CaddyVersion)
	cmd.Env = append(os.Environ(), "GOBIN="+dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("cannot install caddy: %s", strings.TrimSpace(string(out)))
	}
	return filepath.Join(dir, "caddy"), nil
}
