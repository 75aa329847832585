package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"rgate/internal/trial"
)

const specimens = "../config/testdata"

func TestCheckAcceptsTheSpecimens(t *testing.T) {
	for _, name := range []string{"config.yml", "config-label-map.yml", "config-response-list.yml"} {
		path := filepath.Join(specimens, name)
		rgate(t, "check", "-c", path).want(t, 0, path+" is fine: 2 routes, 2 backends")
		if a := rgate(t, "check", "--json", "-c", path); a.code != 0 || a.stdout != "[]\n" {
			t.Errorf("%s --json: %+v", name, a)
		}
	}
	one := file(t, "routes: [{path_prefix: /, backend: a}]\nbackends: [{name: a, endpoints: ['h:1']}]\n")
	rgate(t, "check", "-c", one).want(t, 0, "1 route, 1 backend")
}

const wrong = "routes:\n  - {path_prefix: api, backend: a}\nstats: {paht: /s}\n"

func TestCheckShowsEveryProblemInItsPlace(t *testing.T) {
	path := file(t, wrong)
	a := rgate(t, "check", "-c", path)
	a.want(t, 2,
		path+":2:19: a path prefix begins with `/`", " 2 |   - {path_prefix: api, backend: a}\n   |                   ^^^",
		path+":2:33: no backend is named `a`", path+":3:9: unknown key `paht`", "did you mean `path`?")
	if a.stdout != "" {
		t.Errorf("stdout: %s", a.stdout)
	}
}

func TestCheckJSON(t *testing.T) {
	path := file(t, wrong)
	a := rgate(t, "check", "--json", "-c", path)
	a.want(t, 2, "has 3 problems")
	var list []struct {
		File         string `json:"file"`
		Line, Column int
		Message      string `json:"message"`
		Hint         string `json:"hint"`
	}
	if err := json.Unmarshal([]byte(a.stdout), &list); err != nil {
		t.Fatal(err)
	}
	if len(list) != 3 || list[0].File != path || list[0].Line != 2 || list[0].Column != 19 || list[2].Hint == "" {
		t.Errorf("got %+v", list)
	}
	rgate(t, "check", "--json", "-c", file(t, "stats: {paht: /s}\n")).want(t, 2, "has 1 problem\n", `"message":`)
}

// Warnings are in the JSON too, and certificates are looked at though the rest is
// wrong.
func TestCheckLooksAtCertificates(t *testing.T) {
	const tail = "backends: [{name: a, endpoints: ['h:1']}]\nlisteners: [{address: ':8443', tls: {certificates: [{cert: c.pem, key: c.key}]}}]\n"
	path := file(t, "routes: [{hosts: [a.example, b.example], backend: a}]\n"+tail)
	_, key := trial.Certificate(t, filepath.Dir(path), "c", "a.example")
	if err := os.Chmod(key, 0o644); err != nil {
		t.Fatal(err)
	}
	a := rgate(t, "check", "-c", path)
	a.want(t, 0, "warning: "+path+":1:30: the listener `:8443` on line 3 has no certificate for `b.example`", "may be read or written by everybody", "is fine")
	a = rgate(t, "check", "--json", "-c", path)
	var list []struct {
		Line    int
		Warning bool
		Message string
	}
	if err := json.Unmarshal([]byte(a.stdout), &list); err != nil || a.code != 0 || a.stderr != "" {
		t.Fatal(err, a)
	}
	if len(list) != 2 || list[0].Line != 1 || !list[0].Warning || list[1].Line != 3 || !list[1].Warning {
		t.Errorf("%+v", list)
	}
	if err := os.Remove(key); err != nil {
		t.Fatal(err)
	}
	wrong := filepath.Join(filepath.Dir(path), "wrong.yml")
	if err := os.WriteFile(wrong, []byte("routes: [{path_prefix: api, backend: a}]\n"+tail), 0o600); err != nil {
		t.Fatal(err)
	}
	rgate(t, "check", "-c", wrong).want(t, 2, wrong+":1:24: a path prefix begins with `/`", wrong+":3:72: cannot read the key ")
	rgate(t, "check", "--json", "-c", wrong).want(t, 2, "has 2 problems", `"line":3`)
}

func TestCheckNamesTheFlagOfTheFile(t *testing.T) {
	rgate(t, "check", "x.yml").want(t, 2, "did you mean `--config x.yml`?")
}

func TestCheckWithoutAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "none.yml")
	for _, args := range [][]string{{"check"}, {"check", "--json"}, {"serve"}, {"explain", "/x"}} {
		rgate(t, append(args, "-c", path)...).want(t, 2, path)
	}
}
