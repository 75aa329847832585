package h1

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// corpus is what long runs of a fuzz target found to reach new code, a quoted
// string a line. The shorter ones are kept, in one file: go test would have a
// file for each.
func corpus(t testing.TB, name string) [][]byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "corpus", name+".txt"))
	if err != nil {
		t.Fatal(err)
	}
	var list [][]byte
	for line := range strings.Lines(string(text)) {
		raw, err := strconv.Unquote(strings.TrimSuffix(line, "\n"))
		if err != nil {
			t.Fatalf("%s: line %d: %q: %v", name, len(list)+1, line, err)
		}
		list = append(list, []byte(raw))
	}
	return list
}
