package config

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"
)

func TestReferenceHoldsTheDefaults(t *testing.T) {
	got := load(t, referenceFile)
	want := Default()
	want.Routes = []Route{{PathPrefix: "/api/orders", Backend: "orders", Match: MatchLiteral}}
	want.Backends = []Backend{backend("orders", label("app_name", "orders"), label("env", "production"))}
	if diff := cmp.Diff(want, got, ignorePlaces); diff != "" {
		t.Errorf("(-built in +reference):\n%s", diff)
	}
}

func TestReferenceHoldsEveryKey(t *testing.T) {
	data, err := os.ReadFile(referenceFile)
	if err != nil {
		t.Fatal(err)
	}
	var root yaml.Node
	if err := yaml.Load(data, &root); err != nil {
		t.Fatal(err)
	}
	var written []string
	var walk func(prefix string, n *yaml.Node)
	walk = func(prefix string, n *yaml.Node) {
		if n.Kind == yaml.SequenceNode {
			for _, item := range n.Content {
				walk(prefix, item)
			}
		}
		for i := 0; n.Kind == yaml.MappingNode && i < len(n.Content); i += 2 {
			path := prefix + n.Content[i].Value
			written = append(written, path)
			walk(path+".", n.Content[i+1])
		}
	}
	walk("", root.Content[0])
	slices.Sort(written)
	known := slices.DeleteFunc(namesOf(topKeys).paths(""), func(path string) bool {
		return strings.Contains(path, "balance.") || strings.HasPrefix(path, "listeners.") || // shown in the comment
			ofRoutes(path) || strings.HasPrefix(path, "policies.") || strings.HasPrefix(path, "consumers.") || strings.HasPrefix(path, "defaults.policies.")
	})
	known = slices.DeleteFunc(known, func(path string) bool {
		return strings.HasPrefix(path, "backends.tls") || path == "backends.proxy_protocol"
	}) // likewise
	if diff := cmp.Diff(known, written); diff != "" {
		t.Errorf("(-decoder +reference):\n%s", diff)
	}
}

// TestReferenceSaysWhatNeedsARestart holds the word "(restart)" to
// RestartNeeded.
func TestReferenceSaysWhatNeedsARestart(t *testing.T) {
	data, err := os.ReadFile(referenceFile)
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	if got, want := strings.Count(text, "(restart)"), len(restartKeys)-1; got != want { // docker.host and docker.tls share one
		t.Errorf("%d keys are marked, RestartNeeded knows %d", got, want)
	}
}

// TestReferenceExplainsEveryKey wants a comment on or above each key.
func TestReferenceExplainsEveryKey(t *testing.T) {
	data, err := os.ReadFile(referenceFile)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(data), "\n")
	inherited := false // the keys of a backend that are explained at the top level
	for i, line := range lines {
		inherited = (inherited || strings.Contains(line, "See there for what each key means")) && line != ""
		key, _, isKey := strings.Cut(strings.TrimSpace(line), ":")
		if !isKey || inherited || strings.HasPrefix(key, "#") {
			continue
		}
		above := i > 0 && strings.HasPrefix(strings.TrimSpace(lines[i-1]), "#")
		if !above && !strings.Contains(line, " # ") {
			t.Errorf("line %d: %s is not explained", i+1, key)
		}
	}
}
