package packaging

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"rgate/internal/config"
)

// pages are what is written for users and contributors, by path.
func pages(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, pattern := range []string{"../../*.md", "../../docs/*.md"} {
		names, err := filepath.Glob(pattern)
		if err != nil || len(names) == 0 {
			t.Fatalf("no pages at %s: %v", pattern, err)
		}
		for _, name := range names {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			all[name] = string(text)
		}
	}
	return all
}

var (
	yamlBlock = regexp.MustCompile("(?ms)^```yaml\n(.*?)^```$")
	link      = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading   = regexp.MustCompile(`(?m)^#+ (.+)$`)
	noAnchor  = regexp.MustCompile(`[^a-z0-9 _-]`)
)

// What stands in a page as an example is taken by the loader. One that shows
// keys of the top level alone gets the routes and backends that a file needs.
func TestExamplesLoad(t *testing.T) {
	const rest = "\nroutes: [{path_prefix: /, backend: b}]\nbackends: [{name: b, endpoints: [\"127.0.0.1:1\"]}]\n"
	env := func(string) (string, bool) { return "", false }
	found := 0
	for name, text := range pages(t) {
		for _, m := range yamlBlock.FindAllStringSubmatch(text, -1) {
			found++
			if !regexp.MustCompile(`(?m)^routes:`).MatchString(m[1]) {
				m[1] += rest
			}
			if _, err := config.Parse(name, []byte(m[1]), env); err != nil {
				t.Errorf("an example in %s does not load: %v", name, err)
			}
		}
	}
	if found < 4 {
		t.Errorf("%d examples found: where are the others?", found)
	}
}

// A link within the repository leads to a file, and to a heading where it
// names one.
func TestLinksResolve(t *testing.T) {
	all := pages(t)
	for name, text := range all {
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			path, anchor, _ := strings.Cut(m[1], "#")
			target := name
			if path != "" {
				target = filepath.Join(filepath.Dir(name), path)
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s links to %s: %v", name, m[1], err)
			} else if anchor != "" && !anchors(all[target])[anchor] {
				t.Errorf("%s links to %s, which has no such heading", name, m[1])
			}
		}
	}
}

// Who reads the README finds each page.
func TestReadmeLeadsToEachPage(t *testing.T) {
	all := pages(t)
	for name := range all {
		if page := strings.TrimPrefix(name, "../../"); strings.HasPrefix(page, "docs/") && !strings.Contains(all["../../README.md"], "]("+page+")") {
			t.Errorf("the README does not lead to %s", page)
		}
	}
}

// anchors are the names that headings of a page get where it is shown.
func anchors(page string) map[string]bool {
	names := map[string]bool{}
	for _, m := range heading.FindAllStringSubmatch(page, -1) {
		plain := noAnchor.ReplaceAllString(strings.ToLower(m[1]), "")
		names[strings.ReplaceAll(plain, " ", "-")] = true
	}
	return names
}

// What comes with rgate is taken by the loader, whatever name it is run for.
func TestPackagedConfigurationsLoad(t *testing.T) {
	files, err := filepath.Glob("../../packaging/*.yml")
	if err != nil || len(files) < 2 {
		t.Fatalf("%v %v", files, err)
	}
	for _, file := range files {
		for _, host := range []string{"", "a.example"} {
			if _, err := config.Load(file, func(string) (string, bool) { return host, true }); err != nil {
				t.Error(err)
			}
		}
	}
}
