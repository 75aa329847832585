package proxy

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"rgate/internal/config"
)

// The loader and Normalize have one idea of a path: a prefix is taken where some
// normal path begins with it, and refused where none does. All short prefixes of
// what is special in paths are tried.
func TestPrefixesAreWhatPathsCanBeginWith(t *testing.T) {
	const special = `/.%20eFa;\`
	for _, match := range []config.MatchMode{config.MatchLiteral, config.MatchSegment} {
		var all []string
		add := func(prefix string) {
			if all = append(all, prefix); len(all) == 900 {
				comparePrefixes(t, match, all)
				all = nil
			}
		}
		var grow func(prefix string, left int)
		grow = func(prefix string, left int) {
			add(prefix)
			for i := 0; left > 0 && i < len(special); i++ {
				grow(prefix+special[i:i+1], left-1)
			}
		}
		grow("/", 4)
		for _, prefix := range []string{"/%2e%2e/", "/a%2F..%2Fb", "/a%252F..%252Fb", "/%25252e", "/..%3B", "/a/..;x/", "/.%20", "/%2E.", "/%250", "/%2500", "/%252500", "/x%5C..", "/%41", "/%C3%A9"} {
			add(prefix)
		}
		comparePrefixes(t, match, all)
	}
}

func comparePrefixes(t *testing.T, match config.MatchMode, prefixes []string) {
	t.Helper()
	var text strings.Builder
	text.WriteString("backends: [{name: b, endpoints: ['10.0.0.1:80']}]\nroutes:\n")
	for _, p := range prefixes {
		fmt.Fprintf(&text, "- {path_prefix: '%s', backend: b, match: %s}\n", p, match)
	}
	refused := map[int]string{} // by line
	var problems *config.Problems
	if _, err := config.Parse("config.yml", []byte(text.String()), nil); errors.As(err, &problems) {
		for _, p := range problems.List {
			refused[p.Line] = p.Message
		}
	} else if err != nil {
		t.Fatal(err)
	}
	for i, p := range prefixes {
		path, why := pathWith(p, match), refused[i+3]
		switch {
		case path != "" && why != "" && !stricter(p):
			t.Errorf("%s %s is refused (%s), but %s is a path", match, p, why, path)
		case path == "" && why == "":
			t.Errorf("%s %s is taken, but no path begins with it", match, p)
		}
	}
}

// pathWith is a normal path that a route with this prefix takes; "" for none.
func pathWith(prefix string, match config.MatchMode) string {
	rests := []string{"", "/", "x", "/x", "0x", "41", "20", "F"}
	if match == config.MatchSegment && !strings.HasSuffix(prefix, "/") {
		rests = []string{"", "/", "/x"}
	}
	for _, rest := range rests {
		path := []byte(prefix + rest)
		if normal, err := Normalize(nil, bytes.Clone(path)); err == nil && bytes.Equal(normal, path) {
			return string(path)
		}
	}
	return ""
}

// stricter are prefixes that the loader takes for a slip, though paths begin
// with them: those that end within a percent-encoding, or with two dots.
func stricter(prefix string) bool {
	return endsInDots.MatchString(prefix) || strings.HasSuffix(prefix, "%") || len(prefix) > 2 && prefix[len(prefix)-2] == '%'
}

var endsInDots = regexp.MustCompile(`(/|\\|%(25)*(2[Ff]|5[Cc]))\.\.$`)
