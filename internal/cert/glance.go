package cert

import (
	"io/fs"
	"os"
)

// Glance is how files look from outside; nil for one that cannot be seen. Those
// who write certificates rename, copy, or swap a symbolic link, of which nothing
// tells everywhere: so who wants to know looks every so often.
type Glance []fs.FileInfo

// GlanceAt looks at files.
func GlanceAt(paths ...string) Glance {
	g := make(Glance, len(paths))
	for i, path := range paths {
		if info, err := os.Stat(path); err == nil {
			g[i] = info
		}
	}
	return g
}

// Same tells whether the same files look the same.
func (g Glance) Same(as Glance) bool {
	if len(g) != len(as) {
		return false
	}
	for i := range g {
		switch a, b := g[i], as[i]; {
		case a == nil || b == nil:
			if a != nil || b != nil {
				return false
			}
		case !os.SameFile(a, b) || a.Size() != b.Size() || !a.ModTime().Equal(b.ModTime()):
			return false
		}
	}
	return true
}
