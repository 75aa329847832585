package enginetest

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/moby/moby/client"
)

// Image says what an image is made of. The zero value is the test server that
// exposes 8080.
type Image struct {
	Binary     []byte            // static; nil for the test server
	Expose     []string          // "8080", "53/udp"; nil for 8080, empty for none
	Health     string            // arguments of HEALTHCHECK; HealthCheck is a good one; "" for none
	StopSignal string            // "" for the engine's default
	Labels     map[string]string // LABEL
	Args       []string          // arguments to the binary before those of the container
	Dockerfile string            // replaces all of the above but Binary, which is ./binary
}

// HealthCheck asks the test server's /healthz often enough for tests.
const HealthCheck = `--interval=1s --timeout=2s --retries=2 CMD ["/binary", "-health", "http://127.0.0.1:8080/healthz"]`

// Build makes an image and answers its tag. The image goes with the test.
func (e *Engine) Build(t T, i Image) string {
	t.Helper()
	if i.Binary == nil {
		i.Binary = TestServer(t)
	}
	tag := "rgate-test:" + Unique()
	dockerfile := i.Dockerfile
	if dockerfile == "" {
		dockerfile = i.dockerfile()
	}
	result, err := e.Client.ImageBuild(t.Context(), buildContext(dockerfile, i.Binary), client.ImageBuildOptions{
		Tags: []string{tag}, Remove: true, ForceRemove: true, Labels: map[string]string{Label: "image"},
	})
	if err != nil {
		t.Fatalf("cannot build an image: %v", err)
	}
	defer func() { _ = result.Body.Close() }()
	if err := buildFailure(result.Body); err != nil {
		t.Fatalf("cannot build an image: %v\n%s", err, dockerfile)
	}
	t.Cleanup(func() {
		ctx, cancel := cleaning()
		defer cancel()
		if _, err := e.Client.ImageRemove(ctx, tag, client.ImageRemoveOptions{Force: true, PruneChildren: true}); err != nil {
			t.Logf("cannot remove image %s: %v", tag, err)
		}
	})
	return tag
}

func (i Image) dockerfile() string {
	var b strings.Builder
	b.WriteString("FROM scratch\nCOPY binary /binary\n")
	if i.Expose == nil {
		i.Expose = []string{"8080"}
	}
	for _, port := range i.Expose {
		fmt.Fprintf(&b, "EXPOSE %s\n", port)
	}
	for _, key := range slices.Sorted(maps.Keys(i.Labels)) {
		fmt.Fprintf(&b, "LABEL %q=%q\n", key, i.Labels[key])
	}
	if i.Health != "" {
		fmt.Fprintf(&b, "HEALTHCHECK %s\n", i.Health)
	}
	if i.StopSignal != "" {
		fmt.Fprintf(&b, "STOPSIGNAL %s\n", i.StopSignal)
	}
	entrypoint, _ := json.Marshal(append([]string{"/binary"}, i.Args...))
	fmt.Fprintf(&b, "ENTRYPOINT %s\n", entrypoint)
	return b.String()
}

func buildContext(dockerfile string, binary []byte) io.Reader {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range []struct {
		name    string
		mode    int64
		content []byte
	}{{"Dockerfile", 0o644, []byte(dockerfile)}, {"binary", 0o755, binary}} {
		_ = w.WriteHeader(&tar.Header{Name: f.name, Mode: f.mode, Size: int64(len(f.content))})
		_, _ = w.Write(f.content)
	}
	_ = w.Close()
	return &b
}

// buildFailure reads a build's messages to their end, which is when it is done.
func buildFailure(messages io.Reader) error {
	decoder := json.NewDecoder(messages)
	for {
		var message struct{ Error string }
		switch err := decoder.Decode(&message); {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		case message.Error != "":
			return fmt.Errorf("%s", message.Error)
		}
	}
}
