package config

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzParse holds the loader to two promises: it never panics, and every
// problem has a place in the file.
func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"testdata/*.yml", "testdata/problems/*.txt", referenceFile} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			f.Fatalf("%s: %v, %v", pattern, files, err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			source, _, _ := strings.Cut(string(data), ruler)
			f.Add([]byte(source))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		cfg, err := Parse("config.yml", data, testEnv)
		if err == nil {
			checkConfig(t, cfg)
			return
		}
		var problems *Problems
		if !errors.As(err, &problems) || len(problems.List) == 0 {
			t.Fatalf("got %v, want problems", err)
		}
		lines := splitLines(string(data))
		for _, p := range problems.List {
			if p.Line < 1 || p.Line > len(lines) || p.Column < 1 || p.Span < 1 || p.Message == "" {
				t.Fatalf("%+v is not in a file of %d lines", p, len(lines))
			}
			if p.Source != lines[p.Line-1] || p.Column > utf8.RuneCountInString(p.Source)+1 {
				t.Fatalf("%+v is not in line %q", p, lines[p.Line-1])
			}
		}
		if err := problems.Render(io.Discard, true); err != nil {
			t.Fatal(err)
		}
	})
}

// checkConfig holds a configuration to what its readers rely on.
func checkConfig(t *testing.T, cfg *Config) {
	names := map[string]bool{}
	for _, b := range cfg.Backends {
		if b.Name == "" || names[b.Name] || b.Line < 1 || len(b.MatchLabels) == 0 && len(b.Endpoints) == 0 {
			t.Fatalf("backend %+v", b)
		}
		names[b.Name] = true
	}
	prefixes := map[string]bool{}
	for _, r := range cfg.Routes {
		if !strings.HasPrefix(r.PathPrefix, "/") || prefixes[r.PathPrefix] || !names[r.Backend] || r.Line < 1 {
			t.Fatalf("route %+v", r)
		}
		prefixes[r.PathPrefix] = true
	}
	if s := cfg.DefaultResponse.StatusCode; s < 200 || s > 599 {
		t.Fatalf("status code %d", s)
	}
}
