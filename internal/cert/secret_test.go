package cert

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Whatever is wrong with a pair, nothing of its key is in what is said of it.
func TestProblemsKeepKeysToThemselves(t *testing.T) {
	dir := t.TempDir()
	cert, key := spec{hosts: []string{"a.example"}}.pems(t)
	other, _ := spec{hosts: []string{"a.example"}}.pems(t)
	lines := strings.Split(strings.TrimSpace(string(key)), "\n")
	cut := strings.Join(lines[:len(lines)-1], "\n")
	garbled := strings.Replace(string(key), lines[1], lines[1][:8]+"????"+lines[1][12:], 1)
	short := strings.Join([]string{lines[0], lines[1], lines[len(lines)-1], ""}, "\n")
	for name, files := range map[string][2]string{
		"the wrong way round": {string(key), string(cert)}, "twice the key": {string(key), string(key)}, "another's": {string(other), string(key)},
		"cut": {string(cert), cut}, "garbled": {string(cert), garbled}, "short": {string(cert), short}, "in the certificate": {string(cert) + string(key), "none"},
	} {
		p := Pair{Cert: filepath.Join(dir, "c.pem"), Key: filepath.Join(dir, "c.key")}
		for path, text := range map[string]string{p.Cert: files[0], p.Key: files[1]} {
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		c, problems := Load(p, time.Now())
		if c != nil || len(problems) == 0 {
			t.Errorf("%s: no problem", name)
		}
		for _, problem := range problems {
			for _, line := range lines[1 : len(lines)-1] {
				if strings.Contains(problem.Error(), line[:8]) {
					t.Errorf("%s: %v", name, problem)
				}
			}
		}
	}
}
