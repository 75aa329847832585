package packaging

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/moby/moby/client"

	"rgate/internal/enginetest"
	"rgate/internal/trial"
)

const program = "rgate/cmd/rgate"

// checkout is a directory that holds what a build needs: the binary where make
// build puts it, and the files as they are in the repository.
func checkout(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"Dockerfile", ".dockerignore", "compose.yml", "packaging/config.yml", "packaging/state/.keep"} {
		content, err := os.ReadFile(filepath.Join("../..", name))
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, name), content, 0o644)
	}
	write(t, filepath.Join(dir, "bin/rgate"), enginetest.Compile(t, program), 0o755)
	return dir
}

func write(t *testing.T, path string, content []byte, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, mode); err != nil {
		t.Fatal(err)
	}
}

// composer runs docker compose in a checkout.
type composer struct {
	t       *testing.T
	command []string
	dir     string
	env     []string
}

func (c *composer) run(args ...string) string {
	c.t.Helper()
	args = append(append([]string{}, c.command...), args...)
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir, cmd.Env = c.dir, append(os.Environ(), c.env...)
	cmd.Env = append(cmd.Env, "COMPOSE_HTTP_TIMEOUT=300") // for an engine on a busy machine
	out, err := cmd.CombinedOutput()
	if err != nil {
		c.t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// composeCommand is the plugin, else the program of its own.
func composeCommand(t *testing.T) []string {
	t.Helper()
	if exec.Command("docker", "compose", "version").Run() == nil {
		return []string{"docker", "compose"}
	}
	if _, err := exec.LookPath("docker-compose"); err == nil {
		return []string{"docker-compose"}
	}
	t.Fatal("this test needs docker compose: install it (Debian: docker-compose), or run make test-unit")
	return nil
}

// socketOf is the engine's socket and the group that may use it.
func socketOf(t *testing.T, engine *enginetest.Engine) (path string, group uint32) {
	t.Helper()
	path, ok := strings.CutPrefix(engine.Host, "unix://")
	if !ok || filepath.Base(path) != "docker.sock" {
		t.Fatalf("compose.yml wants the directory of a docker.sock, not %s", engine.Host)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return path, info.Sys().(*syscall.Stat_t).Gid
}

// The image, built and run as compose.yml says, serves both services without
// being root and without more of the engine than its socket's group gives.
func TestComposeServesTwoServices(t *testing.T) {
	engine := enginetest.Machine(t)
	socket, group := socketOf(t, engine)
	id, port := "rgatetest"+enginetest.Unique(), trial.Port(t)
	c := &composer{t: t, command: composeCommand(t), dir: checkout(t), env: []string{
		"DOCKER_HOST=" + engine.Host, "DOCKER_BUILDKIT=0", "COMPOSE_DOCKER_CLI_BUILD=0", "COMPOSE_PROJECT_NAME=" + id,
		"RGATE_IMAGE=rgate-test:" + id, fmt.Sprint("RGATE_PORT=", port),
		fmt.Sprint("DOCKER_GID=", group), "DOCKER_SOCKET_DIR=" + filepath.Dir(socket),
	}}
	c.run("build")
	defer c.run("down", "--rmi", "all", "--volumes", "--timeout", "5")
	c.run("up", "--detach")

	url := fmt.Sprint("http://127.0.0.1:", port)
	deadline := time.Now().Add(time.Minute)
	for _, app := range []string{"payment", "orders"} {
		want := fmt.Sprintf(`"answered_by":%q`, app)
		for status, body := get(url + "/api/" + app + "/7"); status != 200 || !strings.Contains(body, want); status, body = get(url + "/api/" + app + "/7") {
			if time.Now().After(deadline) {
				t.Fatalf("%s: %d %s, want %s\n%s", app, status, body, want, c.run("logs", "--no-color"))
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
	if status, body := get(url + "/elsewhere"); status != 403 || body != "This is not reachable" {
		t.Errorf("/elsewhere: %d %q", status, body)
	}
	gateway := strings.TrimSpace(c.run("ps", "--quiet", "gateway"))
	inspected, err := engine.Client.ContainerInspect(t.Context(), gateway, client.ContainerInspectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if user := inspected.Container.Config.User; user != "65532:65532" {
		t.Errorf("the gateway runs as %q", user)
	}
}

// get answers 0 and the error where there is no response.
func get(url string) (int, string) {
	c := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := c.Get(url)
	if err != nil {
		return 0, err.Error()
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err.Error()
	}
	return response.StatusCode, string(body)
}
