package config

import (
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const naming = `routes:
  - {path_prefix: /, backend: b, ip: {allow: [10.0.0.0/8, {file: offices.txt}], deny: [{file: lists/bad.txt}]}}
backends: [{name: b, match_labels: [x]}]
`

// folder has the files in a folder of their own.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestNamedFilesArePartOfTheFile(t *testing.T) {
	dir := folder(t, map[string]string{
		"c.yml": naming, "offices.txt": "# offices\n192.0.2.0/24 # Berlin\n\n  2001:db8::/32\r\n", "lists/bad.txt": "10.6.6.6",
	})
	cfg, err := Load(filepath.Join(dir, "c.yml"), nil)
	if err != nil {
		t.Fatal(err)
	}
	ip := cfg.Routes[0].Policies[0].IP
	want := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("2001:db8::/32")}
	if !slices.Equal(ip.Allow, want) || !slices.Equal(ip.Deny, []netip.Prefix{netip.MustParsePrefix("10.6.6.6/32")}) {
		t.Errorf("%+v", ip)
	}
	reader := NewReader(filepath.Join(dir, "c.yml"), nil)
	before, err := reader.Read()
	if err != nil || before.Sum() != cfg.Sum {
		t.Errorf("read again: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "lists/bad.txt"), []byte("10.6.6.7"), 0o600); err != nil {
		t.Fatal(err)
	}
	after, err := reader.Read()
	if err != nil || after.Sum() == before.Sum() {
		t.Errorf("a change of a file that is named makes no difference, %v", err)
	}
	again, err := before.Parse(filepath.Join(dir, "c.yml"), nil) // what was read, not what there is
	if err != nil || again.Sum != cfg.Sum || again.Routes[0].Policies[0].IP.Deny[0] != ip.Deny[0] {
		t.Errorf("parsed anew: %v", err)
	}
}

func TestProblemsOfNamedFiles(t *testing.T) {
	f := func(files map[string]string, want ...string) {
		t.Helper()
		if files["c.yml"] == "" {
			files["c.yml"] = naming
		}
		dir := folder(t, files)
		_, err := Load(filepath.Join(dir, "c.yml"), nil)
		if err == nil {
			t.Fatal("no problem")
		}
		for _, w := range want {
			if !strings.Contains(strings.ReplaceAll(err.Error(), dir+"/", ""), w) {
				t.Errorf("no %q in %v", w, err)
			}
		}
	}
	f(map[string]string{"offices.txt": "10.0.0.0/8\nnet\n192.0.2.7/24\n"},
		"c.yml:2:66: line 2 of `offices.txt`: `net` is neither", "line 3 of `offices.txt`: the address of `192.0.2.7/24`", "write `192.0.2.0/24`",
		"c.yml:2:95: cannot read `lists/bad.txt`: no such file")
	for _, empty := range []string{"", "\n", "# 10.0.0.0/8\n"} {
		f(map[string]string{"c.yml": strings.Replace(naming, "10.0.0.0/8, ", "", 1), "offices.txt": empty, "lists/bad.txt": "10.6.6.6"},
			"c.yml:2:47: nobody is named here, and an empty `allow` would let everybody come (write who may come")
	}
	f(map[string]string{"offices.txt/x": "", "lists/bad.txt": ""}, "cannot read `offices.txt`: it is no regular file")
	f(map[string]string{"offices.txt": strings.Repeat("#", maxNamedBytes+1), "lists/bad.txt": ""}, "cannot read `offices.txt`: it is larger than 8 MB")
}

func TestTooManyFilesAreNamed(t *testing.T) {
	var items strings.Builder
	files := map[string]string{}
	for i := range maxNamed + 1 {
		name := string(rune('a'+i%26)) + strings.Repeat("x", i/26) + ".txt"
		files[name] = ""
		items.WriteString("{file: " + name + "}, ")
	}
	files["c.yml"] = "policies: [{name: p, ip: {deny: [" + items.String() + "]}}]\n"
	if _, err := Load(filepath.Join(folder(t, files), "c.yml"), nil); err == nil || !strings.Contains(err.Error(), "more than 100 files are named") {
		t.Errorf("got %v", err)
	}
}

// A file that is named by what was not read before is not read either.
func TestATextReadsNothing(t *testing.T) {
	dir := folder(t, map[string]string{"offices.txt": "", "lists/bad.txt": ""})
	if _, err := (Text{Main: []byte(naming)}).Parse(filepath.Join(dir, "c.yml"), nil); err == nil || !strings.Contains(err.Error(), "it was not named a moment ago") {
		t.Errorf("got %v", err)
	}
}

// A file that has not changed is not parsed to find out what it names.
func TestAFileThatIsTheSameIsNotParsed(t *testing.T) {
	dir := folder(t, map[string]string{"offices.txt": "192.0.2.0/24", "lists/bad.txt": "", "c.yml": naming + "# ${ASKED}\nlisten: \"${ASKED}\"\n"})
	asked := 0
	reader := NewReader(filepath.Join(dir, "c.yml"), func(string) (string, bool) { asked++; return "", true })
	read := func() Text {
		t.Helper()
		text, err := reader.Read()
		if err != nil || len(text.Named) != 2 || string(text.Named[filepath.Join(dir, "offices.txt")].Data) == "" {
			t.Fatalf("%v, %v", text.Named, err)
		}
		return text
	}
	first := read()
	parsed := asked
	for range 3 {
		if read().Sum() != first.Sum() {
			t.Error("nothing has changed, and the sum has")
		}
	}
	if parsed == 0 || asked != parsed {
		t.Errorf("it is parsed %d times", asked)
	}
	if err := os.WriteFile(filepath.Join(dir, "c.yml"), []byte(naming), 0o600); err != nil {
		t.Fatal(err)
	}
	if read().Sum() == first.Sum() {
		t.Error("the file has changed, and the sum has not")
	}
	if err := os.Remove(filepath.Join(dir, "lists/bad.txt")); err != nil {
		t.Fatal(err)
	}
	if n := read().Named[filepath.Join(dir, "lists/bad.txt")]; n.Err == nil {
		t.Error("a file that is gone is still there")
	}
}
