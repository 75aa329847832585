package internal

import (
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// arrows are the imports that may be: from a package of ours to packages of
// ours, always downward. ARCHITECTURE.md draws them. Who wants another arrow
// argues for it here.
var arrows = map[string]string{
	"cmd/rgate":             "cli",
	"cli":                   "gateway admin authority cert handover link listen config demo discovery docker journal names policy proxy route stats upstream",
	"demo":                  "gateway authority config docker stats",
	"gateway":               "acme admin authority cert handover link listen standard loop proxy route upstream docker names discovery config stats",
	"admin":                 "cert proxy route stats",
	"standard":              "buffer wire proxy upstream link listen config h1 h2 proxyproto",
	"loop":                  "buffer wire proxy upstream listen config h1 proxyproto",
	"listen":                "cert handover config",
	"authority":             "cert", // it issues, as a cert.Issuer
	"cert":                  "",
	"acme":                  "cert config",            // certificates that no file has
	"wire":                  "policy proxy config h1", // it words what proxy decided
	"proxy":                 "route policy upstream config stats",
	"route":                 "policy upstream link config discovery stats",
	"policy":                "config",
	"upstream":              "link stats",             // an endpoint knows how it is spoken to
	"link":                  "cert config proxyproto", // the files that a backend names
	"docker":                "discovery",
	"names":                 "discovery", // a sibling of docker: another source
	"h1":                    "",
	"proxyproto":            "",          // another grammar, beside h1
	"h2":                    "buffer h1", // what its streams carry is a message of HTTP/1.1
	"buffer":                "",
	"discovery":             "",
	"config":                "",
	"handover":              "",
	"journal":               "",
	"stats":                 "",
	"packaging":             "config", // like the next ones, for tests alone
	"conformance":           "",
	"faults":                "",
	"rig/ends":              "",
	"rig":                   "rig/ends config listen loop proxy route standard trial upstream",
	"enginetest":            "",
	"install":               "", // for bench, soak and attack
	"traffic":               "", // for soak and attack
	"trial":                 "", // for bench, soak and attack
	"enginetest/testserver": "",
}

// Tests may import what they like but must not make a package of ours depend
// on what exists for tests alone, so they are left out here.
func TestImportsPointDownward(t *testing.T) {
	imports := ourImports(t, "..")
	for _, from := range slices.Sorted(maps.Keys(imports)) {
		allowed, known := arrows[from]
		if !known {
			t.Errorf("package %s is not in this test: say what it may import", from)
			continue
		}
		for _, to := range slices.Sorted(maps.Keys(imports[from])) {
			if !slices.Contains(strings.Fields(allowed), to) {
				t.Errorf("%s imports %s, which it may not (%s)", from, to, imports[from][to])
			}
		}
	}
}

// The arrows themselves must not lead in a circle.
func TestNoArrowLeadsBack(t *testing.T) {
	var walk func(path []string)
	walk = func(path []string) {
		for _, to := range strings.Fields(arrows[path[len(path)-1]]) {
			if slices.Contains(path, to) {
				t.Fatalf("a circle: %s", strings.Join(append(path, to), " → "))
			}
			walk(append(slices.Clone(path), to))
		}
	}
	for _, from := range slices.Sorted(maps.Keys(arrows)) {
		walk([]string{from})
	}
}

// ourImports are, by package, the packages of this module that its files
// import, each with a file that does.
func ourImports(t *testing.T, root string) map[string]map[string]string {
	t.Helper()
	imports := map[string]map[string]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		from := room(filepath.ToSlash(strings.TrimPrefix(filepath.Dir(path), root+string(filepath.Separator))))
		if !strings.HasPrefix(path, filepath.Join(root, "internal")) && from != "cmd/rgate" {
			return nil // bench, scripts: programs of the project, not of rgate
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		if imports[from] == nil {
			imports[from] = map[string]string{}
		}
		for _, spec := range file.Imports {
			name, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			if to, ours := strings.CutPrefix(name, "rgate/"); ours {
				imports[from][room(to)] = path
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(imports) < 5 {
		t.Fatalf("found only %d packages", len(imports))
	}
	return imports
}

// room is a package's directory as the arrows name it.
func room(dir string) string { return strings.TrimPrefix(dir, "internal/") }
