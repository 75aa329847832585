package config

import (
	"crypto/sha256"
	"maps"
	"slices"
	"sync/atomic"
)

// Reader reads a file, with those that it names, again and again, for a process that
// serves. Which these are takes parsing the file, so that is done where it has
// changed alone.
type Reader struct {
	path  string
	env   func(string) (string, bool)
	known atomic.Pointer[known]
}

// known is what a file named when it was parsed.
type known struct {
	main  Sum
	paths []string
}

// NewReader is one of the file at path. env is as in Load.
func NewReader(path string, env func(string) (string, bool)) *Reader {
	return &Reader{path: path, env: env}
}

// Read reads all of it. The sum of what it gives is made already.
func (r *Reader) Read() (Text, error) {
	data, err := readRegular(r.path)
	if err != nil {
		return Text{}, err
	}
	text, main := Text{Main: data}, Sum(sha256.Sum256(data))
	if k := r.known.Load(); k != nil && k.main == main {
		text.Named = make(map[string]Named, len(k.paths))
		for _, path := range k.paths {
			text.Named[path] = openNamed(path)
		}
	} else {
		text = gather(r.path, data, r.env)
		r.known.Store(&known{main, slices.Collect(maps.Keys(text.Named))})
	}
	sum := text.Sum()
	text.sum = &sum
	return text, nil
}
