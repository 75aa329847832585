package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// ruler parts a file with problems from what rgate says about it.
const ruler = "==================================================\n"

// testEnv are the variables that files in testdata refer to.
func testEnv(name string) (string, bool) {
	value, ok := map[string]string{
		"PORT": "3000", "EMPTY": "", "WORD": "many", "SECRET": "hunter2",
		"INJECT": "x\nroutes: []", "LATIN": "\xe9",
	}[name]
	return value, ok
}

// TestProblems holds each file of testdata/problems to the drawing below its
// ruler. UPDATE_GOLDEN=1 draws them anew: look at what changed.
func TestProblems(t *testing.T) {
	files, err := filepath.Glob("testdata/problems/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("found %v, %v", files, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			source, want, _ := strings.Cut(string(content), ruler)
			var problems *Problems
			if _, err := Parse("config.yml", []byte(source), testEnv); !errors.As(err, &problems) {
				t.Fatalf("got %v, want problems", err)
			}
			var got strings.Builder
			if err := problems.Render(&got, false); err != nil {
				t.Fatal(err)
			}
			if os.Getenv("UPDATE_GOLDEN") != "" {
				if err := os.WriteFile(file, []byte(source+ruler+got.String()), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(want, got.String()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
