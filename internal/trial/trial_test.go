package trial

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestStatus(t *testing.T) {
	for _, c := range []struct {
		err  error
		code int
		said string
	}{{nil, 0, ""}, {flag.ErrHelp, 0, ""}, {errors.New("no"), 1, "name: no\n"}} {
		var stderr strings.Builder
		if code := status("name", c.err, &stderr); code != c.code || stderr.String() != c.said {
			t.Errorf("%v: %d, %q", c.err, code, stderr.String())
		}
	}
}

func TestParse(t *testing.T) {
	for line, fails := range map[string]bool{"": false, "-a": false, "-b": true, "surplus": true} {
		f := flag.NewFlagSet("x", flag.ContinueOnError)
		f.Bool("a", false, "")
		if err := Parse(f, strings.Fields(line), &strings.Builder{}); (err != nil) != fails {
			t.Errorf("%q: %v", line, err)
		}
	}
}

func TestOnly(t *testing.T) {
	all := []int{1, 11, 2}
	name := func(n int) string { return fmt.Sprint(n) }
	if list, err := Only("^1", "number", all, name); err != nil || len(list) != 2 {
		t.Errorf("%v, %v", list, err)
	}
	for _, only := range []string{"(", "3"} {
		if list, err := Only(only, "number", all, name); err == nil {
			t.Errorf("%s: %v", only, list)
		}
	}
}

func TestFigures(t *testing.T) {
	file := filepath.Join(t.TempDir(), "new", "figures.json")
	var got map[string]int
	if err := Keep(file, map[string]int{"a": 1}); err != nil {
		t.Fatal(err)
	}
	if err := Kept(file, &got); err != nil || got["a"] != 1 {
		t.Errorf("%v, %v", got, err)
	}
	if err := Keep(filepath.Join(file, "below"), 1); err == nil {
		t.Error("a file was kept below a file")
	}
	if err := Keep(file, make(chan int)); err == nil {
		t.Error("a channel was kept")
	}
	if err := Kept(file+".absent", &got); err == nil {
		t.Error("an absent file was read")
	}
	if err := os.WriteFile(file, []byte("no"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Kept(file, &got); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("%v for what is no JSON", err)
	}
}

func TestBuild(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "rgate")
	if err := Build(t.Context(), binary); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(binary, "version").CombinedOutput(); err != nil || !strings.HasPrefix(string(out), "rgate ") {
		t.Errorf("%q, %v", out, err)
	}
	if err := Build(t.Context(), filepath.Join(binary, "below")); err == nil {
		t.Error("it was built below a file")
	}
}

func TestAlone(t *testing.T) {
	name := fmt.Sprintf("test-%d", os.Getpid())
	first, err := Alone(name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Alone(name); err == nil || !strings.Contains(err.Error(), "another "+name) {
		t.Errorf("two at once: %v", err)
	}
	first.Close()
	again, err := Alone(name)
	if err != nil {
		t.Fatalf("after the first: %v", err)
	}
	again.Close()
}
