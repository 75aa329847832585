package h2

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// TestDocs holds docs/http2.md to what is refused.
func TestDocs(t *testing.T) {
	text, err := os.ReadFile("../../docs/http2.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range Refusals() {
		if line := fmt.Sprintf("| %d | `%s` | %s (%s) |\n", e.Status, e.Class, e.Text, e.Section); !strings.Contains(string(text), line) {
			t.Errorf("it does not say %q", line)
		}
	}
}
