package h1

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strings"
	"testing"
)

// asError avoids the typed nil that a plain conversion would make.
func (e *Error) asError() error {
	if e == nil {
		return nil
	}
	return e
}

// docs/parser.md lists every refusal with its status and rule.
func TestDocsComplete(t *testing.T) {
	page, err := os.ReadFile("../../docs/parser.md")
	if err != nil {
		t.Fatal(err)
	}
	classes := map[string]bool{}
	for _, e := range Refusals() {
		if classes[e.Class] {
			t.Errorf("class %s is there twice", e.Class)
		}
		classes[e.Class] = true
		row := ""
		for line := range strings.Lines(string(page)) {
			if strings.HasPrefix(line, fmt.Sprintf("| `%s` | %d | ", e.Class, e.Status)) {
				row = line
			}
		}
		if !strings.Contains(row, "| "+e.Section+" |") {
			t.Errorf("docs/parser.md has no row for %s, %d, %s", e.Class, e.Status, e.Section)
		}
	}
}

// Refusals lists every Err… variable of the package.
func TestRefusalsComplete(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "errors.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	declared := 0
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok {
			declared += len(spec.Names)
		}
		return true
	})
	if got := len(Refusals()); got != declared {
		t.Errorf("Refusals has %d of %d", got, declared)
	}
}
