package cert

import (
	"context"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// looker looks at a store's files as Watch does.
type looker struct {
	t     *testing.T
	store *Store
	told  []string
}

func (l *looker) tell(_ Pair, served bool, problems []*Problem) {
	text := map[bool]string{true: "served", false: "refused"}[served]
	for _, p := range problems {
		text += ": " + p.Error()
	}
	l.told = append(l.told, text)
}

// expect looks twice, as files must look the same twice, and once more for
// nothing to be told again. "" is nothing.
func (l *looker) expect(want string) {
	l.t.Helper()
	l.told = nil
	l.store.refresh(l.tell)
	if len(l.told) > 0 {
		l.t.Errorf("at the first look: %q", l.told)
	}
	l.store.refresh(l.tell)
	l.store.refresh(l.tell)
	got := strings.Join(l.told, "; ")
	if len(l.told) > 1 || (want == "") != (got == "") || !strings.HasPrefix(got, want) {
		l.t.Fatalf("told %q, want %q", got, want)
	}
}

func TestFilesThatChange(t *testing.T) {
	dir := t.TempDir()
	pair := spec{hosts: []string{"a.example"}}.write(t, dir, "a")
	fixed := spec{hosts: []string{"b.example"}}.write(t, dir, "b")
	s, problems := Open([]Pair{pair, fixed}, nil)
	if s == nil {
		t.Fatal(problems)
	}
	l := &looker{t: t, store: s}
	l.expect("")
	first := s.set.Load().For("a.example")[0]

	spec{hosts: []string{"a.example", "c.example"}}.write(t, dir, "a")
	l.expect("served")
	second := s.set.Load().For("c.example")
	if len(second) != 1 || second[0] == first {
		t.Fatal("the certificate before is still served")
	}

	put(t, pair.Cert, []byte("hello"))
	l.expect("refused: " + pair.Cert + " holds no certificate")
	if got := s.set.Load().For("c.example"); len(got) != 1 || got[0] != second[0] {
		t.Error("the certificate before is not served any more")
	}
	if err := os.Remove(pair.Key); err != nil {
		t.Fatal(err)
	}
	l.expect("refused: cannot read the key")

	spec{hosts: []string{"a.example"}}.write(t, dir, "a")
	l.expect("served")
	if s.set.Load().For("c.example") != nil || s.set.Load().For("b.example") == nil {
		t.Error("it is not the certificates of the files")
	}
}

// Between a new certificate and its key, nothing is read.
func TestFilesThatAreStillWritten(t *testing.T) {
	dir := t.TempDir()
	pair := spec{hosts: []string{"a.example"}}.write(t, dir, "a")
	s, _ := Open([]Pair{pair}, nil)
	l := &looker{t: t, store: s}
	cert, key := spec{hosts: []string{"a.example", "c.example"}}.pems(t)
	put(t, pair.Cert, append(cert, '\n'))
	s.refresh(l.tell)
	put(t, pair.Key, append(key, '\n'))
	s.refresh(l.tell)
	if len(l.told) > 0 {
		t.Fatalf("told %q", l.told)
	}
	s.refresh(l.tell)
	if len(l.told) != 1 || l.told[0] != "served" {
		t.Fatalf("told %q", l.told)
	}
}

func TestWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		pair := spec{hosts: []string{"a.example"}}.write(t, dir, "a")
		s, _ := Open([]Pair{pair}, nil)
		ctx, cancel := context.WithCancel(t.Context())
		told, ended := make(chan bool, 1), make(chan struct{})
		go func() {
			defer close(ended)
			s.Watch(ctx, time.Second, func(_ Pair, served bool, _ []*Problem) { told <- served })
		}()
		put(t, pair.Key, []byte("hello"))
		if <-told {
			t.Error("a key that is none is served")
		}
		cancel()
		<-ended
	})
}

func TestOpenTellsOfAllPairs(t *testing.T) {
	dir := t.TempDir()
	good := spec{hosts: []string{"a.example"}}.write(t, dir, "a")
	s, problems := Open([]Pair{{Cert: dir + "/x", Key: dir + "/y"}, good, {Cert: good.Cert, Key: dir + "/z"}}, nil)
	if s != nil || len(problems) != 3 || len(problems[0]) != 2 || len(problems[1]) != 0 || len(problems[2]) != 1 {
		t.Errorf("a store: %v; problems %v", s != nil, problems)
	}
}
