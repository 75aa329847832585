package packaging

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"rgate/internal/config"
	"rgate/internal/enginetest"
)

// contexts are what a line of the file may stand in: on its own, in a listener,
// its tls, a route or a backend.
var contexts = []string{
	"@\nroutes: [{path_prefix: /, backend: b}]\nbackends: [{name: b, endpoints: ['127.0.0.1:1']}]\n",
	"listeners: [{address: ':8444', @}]\nroutes: [{hosts: [shop.example.com], backend: b}]\nbackends: [{name: b, endpoints: ['127.0.0.1:1']}]\n",
	"listeners: [{address: ':8443', tls: internal}, {address: ':8081', @}]\nroutes: [{path_prefix: /, backend: b}]\nbackends: [{name: b, endpoints: ['127.0.0.1:1']}]\n",
	"listeners: [{address: ':8443', tls: {internal: true, @}}]\nroutes: [{path_prefix: /, backend: b}]\nbackends: [{name: b, endpoints: ['127.0.0.1:1']}]\n",
	"routes: [{path_prefix: /, backend: b, @}]\nbackends: [{name: b, endpoints: ['127.0.0.1:1']}]\n",
	"routes: [{hosts: [x.example], backend: b, @}]\nbackends: [{name: b, endpoints: ['127.0.0.1:1']}]\n",
	"routes: [{backend: b, @}]\nbackends: [{name: b, endpoints: ['127.0.0.1:1']}]\n",
	"routes: [{path_prefix: /, @}]\nbackends: [{name: b, endpoints: ['127.0.0.1:1']}]\n",
	"routes: [{path_prefix: /, backend: b}]\nbackends: [{name: b, endpoints: ['127.0.0.1:1'], @}]\n",
	"routes: [{path_prefix: /, backend: b}]\nbackends: [{name: b, endpoints: ['127.0.0.1:1'], scheme: https, @}]\n",
	"routes: [{path_prefix: /, backend: b}]\nbackends: [{name: b, @}]\n",
	"routes: [{path_prefix: /, backend: api}]\nbackends: [{name: api, endpoints: ['127.0.0.1:1']}, {name: b, endpoints: ['127.0.0.1:1'], balance: @}]\n",
	"routes: [{path_prefix: /, @}]\nbackends: [{name: api, endpoints: ['127.0.0.1:1']}]\n",
	"listeners: [{address: ':8443', tls: {certificates: [{cert: a, key: b, @}]}}]\nroutes: [{path_prefix: /, backend: b}]\nbackends: [{name: b, endpoints: ['127.0.0.1:1']}]\n",
}

var (
	row  = regexp.MustCompile(`(?m)^\|.*\|([^|\n]*)\|$`)
	span = regexp.MustCompile("`([^`]+)`")
)

// What the page on migration has on the right of its tables is what the loader
// takes, in some place.
func TestRowsOfMigrationLoad(t *testing.T) {
	found := 0
	for _, r := range row.FindAllStringSubmatch(pages(t)["../../docs/migration.md"], -1) {
		for _, s := range span.FindAllStringSubmatch(r[1], -1) {
			if !regexp.MustCompile(`^(\{|[a-z_]+: )`).MatchString(s[1]) {
				continue
			}
			found++
			if !loadsSomewhere(s[1]) {
				t.Errorf("this loads nowhere: %s", s[1])
			}
		}
	}
	if found < 50 {
		t.Errorf("%d found: where are the others?", found)
	}
}

// loadsSomewhere fills in what the page leaves out.
func loadsSomewhere(text string) bool {
	text = strings.NewReplacer("{from: […]}", "{from: [10.0.0.0/8]}", "cert: …, key: …", "cert: a.pem, key: a.key",
		"{connect, response_header, idle, client_header}", "{connect: 1s, response_header: 1s, idle: 1s, client_header: 1s}", "{connect, response_header}", "{connect: 1s, response_header: 1s}").Replace(text)
	for _, c := range contexts {
		if _, err := config.Parse("c.yml", []byte(strings.Replace(c, "@", text, 1)), func(string) (string, bool) { return "", false }); err == nil {
			return true
		}
	}
	return false
}

// commandLine is a command of rgate as pages show it: a line of its own, or in a
// sentence or table.
var commandLine = regexp.MustCompile("(?m)(?:^    |`)(?:bin/)?(rgate [a-z-][^`\n|>#]*)")

// What pages have people type is there: each command runs, or where it would need
// a gateway at least knows its flags.
func TestCommandsOfPagesAreThere(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "rgate"), enginetest.Compile(t, "rgate/cmd/rgate"), 0o755); err != nil {
		t.Fatal(err)
	}
	text := "docker: {host: 'unix:///none'}\nroutes: [{path_prefix: /, backend: b}]\nbackends: [{name: b, endpoints: ['127.0.0.1:1']}]\n"
	if err := os.WriteFile(filepath.Join(dir, "config.yml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for name, page := range pages(t) {
		for _, m := range commandLine.FindAllStringSubmatch(page, -1) {
			line := strings.TrimSpace(m[1])
			words := strings.Fields(line)
			if seen[line] || strings.HasSuffix(name, "CHANGELOG.md") || strings.HasPrefix(words[len(words)-1], "-") {
				continue // a flag alone is talked of, not typed
			}
			seen[line] = true
			if !regexp.MustCompile(`^rgate (check$|explain .|schema$|version$)`).MatchString(line) {
				line += " --help"
			}
			cmd := exec.CommandContext(t.Context(), "/bin/sh", "-c", "./"+line)
			cmd.Dir = dir
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%s: %s: %v\n%s", name, line, err, out)
			}
		}
	}
	if len(seen) < 15 {
		t.Errorf("%d commands found: where are the others?", len(seen))
	}
}
