package config

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// mustFail parses a text that is wrong and gives its problems.
func mustFail(t *testing.T, data []byte) []Problem {
	t.Helper()
	_, err := Parse("config.yml", data, nil)
	var problems *Problems
	if !errors.As(err, &problems) || len(problems.List) == 0 {
		t.Fatalf("got %v, want problems", err)
	}
	return problems.List
}

func TestUnreadableFiles(t *testing.T) {
	dir := t.TempDir()
	large := filepath.Join(dir, "large.yml")
	if err := os.WriteFile(large, make([]byte, 10<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		filepath.Join(dir, "none.yml"): "none.yml not found: name one with --config",
		dir:                            "is a directory: name the file in it with --config",
		large:                          "large.yml: it is larger than 1024 KB",
		"":                             "no file is named (name one with --config)",
		large + "/x":                   "large.yml/x: not a directory",
	} {
		_, err := Load(path, nil)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q gives %v, want %s", path, err, want)
		}
	}
	if _, err := Load(filepath.Join(dir, "none.yml"), nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v hides its cause", err)
	}
	if got := unreadable("a.yml", &os.PathError{Op: "open", Path: "a.yml", Err: os.ErrPermission}).Error(); got != "cannot read a.yml: permission denied: let the user that rgate runs as read it" {
		t.Errorf("without permission: %s", got)
	}
}

func TestLargeFileIsRefusedUnparsed(t *testing.T) {
	data := append([]byte("["), bytes.Repeat([]byte("a,"), 5<<20)...)
	start := time.Now()
	got := mustFail(t, data)
	if len(got) != 1 || got[0].Message != "the file is larger than 1024 KB" || got[0].Line != 1 || got[0].Column != 1 {
		t.Errorf("got %+v", got)
	}
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("took %v", took)
	}
}

func TestFilesThatAreNoText(t *testing.T) {
	f := func(data, want string) {
		t.Helper()
		if got := mustFail(t, []byte(data))[0].String(); got != want {
			t.Errorf("%q gives\n%s, want\n%s", data, got, want)
		}
	}
	f("listen: \xe9", "config.yml:1:9: byte 0xe9 is not UTF-8 (save the file as UTF-8)")
	f("a: é\r\nb: é\xff", "config.yml:2:5: byte 0xff is not UTF-8 (save the file as UTF-8)")
	f("\xff\xfea\x00:\x00", "config.yml:1:1: the file is UTF-16 (save it as UTF-8)")
	f("a: 1\nb: \x00", "config.yml:2:4: control character U+0000 in the file (remove it; in double quotes it can be written as an escape)")
	f("\ufeffa\x1b", "config.yml:1:2: control character U+001B in the file (remove it; in double quotes it can be written as an escape)")
}

// TestAnchorBombs are files of a few hundred bytes that stand for billions of
// nodes.
func TestAnchorBombs(t *testing.T) {
	lists := "a0: &a0 [x,x,x,x,x,x,x,x,x]\n"
	merges := "m0: &m0 {k: v}\n"
	for i := 1; i <= 30; i++ {
		ref := fmt.Sprintf("*a%d", i-1)
		lists += fmt.Sprintf("a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(ref+",", 9), ","))
		ref = fmt.Sprintf("*m%d", i-1)
		merges += fmt.Sprintf("m%d: &m%d {<<: [%s, %s, %s]}\n", i, i, ref, ref, ref)
	}
	wide := "a: &a [" + strings.Repeat("x,", 500) + "]\nroutes: [" + strings.Repeat("*a,", 500) + "]\n"
	for name, text := range map[string]string{"lists": lists, "merges": merges, "wide": wide} {
		start := time.Now()
		got := mustFail(t, []byte(text))
		if len(got) != 1 || got[0].Message != "aliases make this file grow beyond all bounds" {
			t.Errorf("%s: got %+v", name, got)
		}
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("%s took %v", name, took)
		}
	}
	for _, text := range []string{"a: &a {<<: *a}", "a: &a {b: &b [*a, *b]}"} {
		if got := mustFail(t, []byte(text)); !strings.Contains(got[0].Message, "contains itself") {
			t.Errorf("%s: got %+v", text, got)
		}
	}
}

// manyRoutes is a file of n routes, each to a backend of its own whose name
// begins with the given one.
func manyRoutes(n int, backend string) []byte {
	var b strings.Builder
	b.WriteString("routes:\n")
	for i := range n {
		fmt.Fprintf(&b, "- {path_prefix: /r%d, backend: %s%d}\n", i, backend, i)
	}
	b.WriteString("backends:\n")
	for i := range n {
		fmt.Fprintf(&b, "- {name: b%d, match_labels: [a=%d]}\n", i, i)
	}
	return []byte(b.String())
}

func TestTenThousandRoutes(t *testing.T) {
	cfg, err := Parse("config.yml", manyRoutes(10_000, "b"), nil)
	if err != nil || len(cfg.Routes) != 10_000 || len(cfg.Backends) != 10_000 {
		t.Fatalf("got %v", err)
	}
	if r := cfg.Routes[9_999]; !reflect.DeepEqual(r, Route{PathPrefix: "/r9999", Backend: "b9999", Match: MatchLiteral, Line: 10_001}) {
		t.Errorf("last route is %+v", r)
	}
}

func TestTenThousandProblems(t *testing.T) {
	start := time.Now()
	got := mustFail(t, manyRoutes(10_000, "c"))
	if last := got[len(got)-1].Message; len(got) != maxProblems+1 || last != "9000 more problems are not listed" {
		t.Errorf("got %d problems, the last is %s", len(got), last)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("took %v: the suggestions are unbounded", took)
	}
}

// TestHostileFilesTakeNoTime are files with a problem every few bytes, all on
// one line. Work per problem that grows with the line would take minutes.
func TestHostileFilesTakeNoTime(t *testing.T) {
	for name, text := range map[string]string{
		"labels":    "backends: [{name: a, match_labels: [" + strings.Repeat("=,", 50_000) + "]}]",
		"endpoints": "backends: [{name: a, endpoints: [" + strings.Repeat("é,", 30_000) + "]}]",
		"keys":      "{" + strings.Repeat("a: 1,", 20_000) + "}",
		"variables": "listen: " + strings.Repeat("${1}", 25_000),
		"depth":     strings.Repeat("[", 100_000),
	} {
		start := time.Now()
		mustFail(t, []byte(text))
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("%s took %v", name, took)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	data := manyRoutes(10_000, "b")
	for b.Loop() {
		if _, err := Parse("config.yml", data, nil); err != nil {
			b.Fatal(err)
		}
	}
}
