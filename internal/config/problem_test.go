package config

import (
	"errors"
	"strings"
	"testing"
)

func TestErrorListsProblemsInTheOrderOfTheFile(t *testing.T) {
	_, err := Parse("dir/my.yml", []byte("engine: warp\nroutes: [{backend: a, path_prefix: x}]\nstats: {paht: 1}\n"), nil)
	want := strings.Join([]string{
		"dir/my.yml:1:9: `engine` cannot be `warp` (one of auto, loop, standard)",
		"dir/my.yml:2:20: no backend is named `a` (the file defines no backends: add it under `backends:`)",
		"dir/my.yml:2:36: a path prefix begins with `/` (write `/x`)",
		"dir/my.yml:3:9: unknown key `paht` in `stats` (did you mean `path`?)",
	}, "\n")
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
	var problems *Problems
	if !errors.As(err, &problems) {
		t.Fatal("no Problems")
	}
	first := Problem{
		File: "dir/my.yml", Line: 1, Column: 9, Source: "engine: warp", Span: 4,
		Message: "`engine` cannot be `warp`", Hint: "one of auto, loop, standard",
	}
	if problems.List[0] != first {
		t.Errorf("first problem is %#v", problems.List[0])
	}
}

func TestRenderInColour(t *testing.T) {
	problems := &Problems{List: []Problem{{File: "f", Line: 2, Column: 3, Source: "a b\x1b", Span: 9, Message: "no", Hint: "yes"}}}
	var got strings.Builder
	if err := problems.Render(&got, true); err != nil {
		t.Fatal(err)
	}
	want := "\x1b[1mf:2:3:\x1b[0m \x1b[1;31mno\x1b[0m\n" +
		" \x1b[34m2\x1b[0m \x1b[34m|\x1b[0m a b\ufffd\n" +
		"   \x1b[34m|\x1b[0m   \x1b[1;31m^^\x1b[0m\n" +
		"   \x1b[34m=\x1b[0m \x1b[32myes\x1b[0m\n"
	if got.String() != want {
		t.Errorf("got\n%q, want\n%q", got.String(), want)
	}
}

func TestRenderFarAlongALine(t *testing.T) {
	source := strings.Repeat("x", 300) + "HERE" + strings.Repeat("y", 300)
	problems := &Problems{List: []Problem{{File: "f", Line: 1, Column: 301, Source: source, Span: 4, Message: "no"}}}
	var got strings.Builder
	if err := problems.Render(&got, false); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(got.String(), "\n")
	at, length := strings.Index(lines[2], "^"), strings.Count(lines[2], "^")
	if at < 0 || lines[1][at:at+length] != "HERE" || len(lines[1]) > 150 {
		t.Errorf("got\n%s", got.String())
	}
}

func TestRenderPassesOnWriteErrors(t *testing.T) {
	if err := (&Problems{List: make([]Problem, 1)}).Render(brokenWriter{}, false); !errors.Is(err, errBroken) {
		t.Errorf("got %v", err)
	}
}

var errBroken = errors.New("broken")

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errBroken }

func TestNearest(t *testing.T) {
	known := []string{"path_prefix", "backend", "match", "status_code"}
	for name, want := range map[string]string{
		"path-prefix": "path_prefix", "PathPrefix": "path_prefix", "paht_prefix": "path_prefix", "prefix": "path_prefix",
		"bakcend": "backend", "backends": "backend", "mach": "match", "status": "status_code",
		"zzz": "", "": "", "m": "", "something_else_entirely": "", strings.Repeat("match", 20): "",
	} {
		if got := Nearest(name, known); got != want {
			t.Errorf("%q gives %q, want %q", name, got, want)
		}
	}
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"a", "", 1}, {"", "ab", 2}, {"abc", "abc", 0}, {"abc", "acb", 1}, {"kitten", "sitting", 3}, {"ab", "ba", 1}} {
		if got := distance(c.a, c.b); got != c.want {
			t.Errorf("from %q to %q it is %d, want %d", c.a, c.b, got, c.want)
		}
	}
}
