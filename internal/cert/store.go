package cert

import (
	"context"
	"crypto/tls"
	"io/fs"
	"os"
	"sync/atomic"
	"time"
)

// Store serves the certificates of files as they are at the moment.
type Store struct {
	set   atomic.Pointer[Set]
	files []watched // Open's, and then Watch's alone
}

// watched is a pair, and what its files were.
type watched struct {
	Pair
	entry  Entry
	read   look // when they were read last
	latest look // when they were looked at last
}

// look is how a pair's files look from outside; nil for one that cannot be seen.
type look [2]fs.FileInfo

func (p Pair) look() (l look) {
	for i, path := range []string{p.Cert, p.Key} {
		if info, err := os.Stat(path); err == nil {
			l[i] = info
		}
	}
	return l
}

func (l look) same(as look) bool {
	for i := range l {
		switch a, b := l[i], as[i]; {
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

// Open reads all pairs. Problems are by pair, and there is no store where one of
// them is no warning.
func Open(pairs []Pair) (*Store, [][]*Problem) {
	s := &Store{files: make([]watched, len(pairs))}
	problems, bad := make([][]*Problem, len(pairs)), false
	for i, p := range pairs {
		f := &s.files[i]
		f.Pair, f.read, f.entry.Default = p, p.look(), p.Default
		f.entry.Certificate, problems[i] = Load(p, time.Now())
		bad = bad || f.entry.Certificate == nil
	}
	if bad {
		return nil, problems
	}
	s.publish()
	return s, problems
}

func (s *Store) publish() {
	entries := make([]Entry, len(s.files))
	for i := range s.files {
		entries[i] = s.files[i].entry
	}
	s.set.Store(NewSet(entries))
}

// Set is the certificates of the moment.
func (s *Store) Set() *Set { return s.set.Load() }

// Certificate is Set.Certificate of the moment, for tls.Config.
func (s *Store) Certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	return s.Set().Certificate(hello)
}

// Told hears what became of files that changed: whether they are served now, or
// what was there before, and what is wrong.
type Told func(p Pair, served bool, problems []*Problem)

// Watch reads pairs again whose files have changed, until ctx ends. It looks at
// the files every so often: those who write them rename, copy, or swap a
// symbolic link, of which nothing tells everywhere.
func (s *Store) Watch(ctx context.Context, every time.Duration, tell Told) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			s.refresh(tell)
		}
	}
}

// refresh is one look. Files are read once they look the same twice, as
// certificate and key are written one after the other, and once only, be they
// good or bad: the next change is the next occasion.
func (s *Store) refresh(tell Told) {
	for i := range s.files {
		f := &s.files[i]
		before := f.latest
		f.latest = f.look()
		if f.latest.same(f.read) || !f.latest.same(before) {
			continue
		}
		f.read = f.latest
		c, problems := Load(f.Pair, time.Now())
		if c != nil {
			f.entry.Certificate = c
			s.publish()
		}
		tell(f.Pair, c != nil, problems)
	}
}
