package proxy

import (
	"bytes"
	"testing"
)

func TestNormalize(t *testing.T) {
	f := func(path, want string) {
		t.Helper()
		got, err := Normalize(nil, []byte(path))
		if err != nil || string(got) != want {
			t.Errorf("%q: got %q, %v; want %q", path, got, err, want)
		}
	}
	f("", "/")
	f("/", "/")
	f("/a/b", "/a/b")
	f("//a//b", "//a//b")
	f("/%61%2D%7e", "/a-~")
	f("/a/./b/../c", "/a/c")
	f("/a/..", "/")
	f("/a/.", "/a/")
	f("/a/%2e%2e/b", "/b")
	f("/.well-known/x", "/.well-known/x")
	f("/...", "/...")
	f("/a%2Fb", "/a%2Fb")
	f("/a%2fb", "/a%2fb")
	f("/a;v=1/b%3b", "/a;v=1/b%3b")
	f(`/a\b%5C`, `/a\b%5C`)
	f("/%C3%A9", "/%C3%A9")
	f("/100%25", "/100%25")
}

func TestNormalizeRefuses(t *testing.T) {
	f := func(path string, want error) {
		t.Helper()
		if got, err := Normalize(nil, []byte(path)); err != want {
			t.Errorf("%q: got %q, %v; want %v", path, got, err, want)
		}
	}
	f("a", errPathStart)
	f("/..", errPathClimbs)
	f("/a/../../b", errPathClimbs)
	f("/%2e%2e/b", errPathClimbs)
	f("/%", errPathEscape)
	f("/%4", errPathEscape)
	f("/%zz", errPathEscape)
	f("/%00", errPathNUL)
	f("/%2500", errPathNUL)
	f("/a%2f..%2fb", errPathHidden)
	f("/a/..%2fb", errPathHidden)
	f("/a/%252e%252e/b", errPathHidden)
	f("/a/%25252e%25252e/b", nil) // three times more: nobody decodes so often
	f(`/a\..\b`, errPathHidden)
	f("/a/..%5cb", errPathHidden)
	f("/a/..;/b", errPathHidden)
	f("/a/..%3bx/b", errPathHidden)
}

// What is normal stays as it is, so that the route chosen and the path
// forwarded never disagree.
func FuzzNormalize(f *testing.F) {
	for _, seed := range []string{"/", "/a/../b", "/%2e%2e", "/%252e", `/\..`, "/a;b/..;", "//", "/.%2e/%00"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, path []byte) {
		once, err := Normalize(nil, path)
		if err != nil {
			return
		}
		once = bytes.Clone(once)
		twice, err := Normalize(nil, once)
		if err != nil || !bytes.Equal(once, twice) {
			t.Fatalf("%q became %q, and that %q, %v", path, once, twice, err)
		}
		for _, segment := range bytes.Split(once, []byte{'/'}) {
			if string(segment) == "." || string(segment) == ".." {
				t.Fatalf("%q kept a dot segment: %q", path, once)
			}
		}
	})
}

func BenchmarkNormalizeClean(b *testing.B) {
	path := []byte("/api/payments/7/lines")
	var space [256]byte
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Normalize(space[:0], path); err != nil {
			b.Fatal(err)
		}
	}
}
