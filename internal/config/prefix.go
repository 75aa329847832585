package config

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Matching sees a request's path normalised: percent-encoded unreserved
// characters decoded, dot segments resolved, no query. A prefix that no such
// path can begin with would be a route that never takes a request, which is
// worse than an error.

// checkPrefix reports why a prefix could never match.
func checkPrefix(d *decoder, n *yaml.Node, prefix string, match MatchMode) {
	message, hint := matchFault("path prefix", prefix, match)
	if message != "" {
		d.problem(n, hint, "%s", message)
	}
}

// checkPage is for a path of rgate's own, which is matched whole; empty is off.
func checkPage(path string) (message, hint string) {
	if message, hint = checkServedPath(path); message != "" || path == "" {
		return message, hint
	}
	return matchFault("path", path, MatchSegment)
}

// matchFault says why a path, or a prefix of one, could never be matched. what
// is it called.
func matchFault(what, path string, match MatchMode) (message, hint string) {
	if !strings.HasPrefix(path, "/") {
		return "a " + what + " begins with `/`", "write " + shown("/"+path)
	}
	if at := strings.IndexAny(path, "?#"); at >= 0 {
		return fmt.Sprintf("a %s cannot hold `%c`: only the path is matched, not what follows it", what, path[at]), "write " + shown(path[:at])
	}
	never := "this " + strings.TrimPrefix(what, "path ") + " never matches: "
	fixed, bad := normalEncoding(path)
	switch {
	case bad != "":
		return "the percent-encoding " + shown(bad) + " is not two hexadecimal digits", "write `%25` for a plain `%`"
	case strings.Contains(fixed, "%00"):
		return "a path with an encoded NUL is always refused", "remove `%00`"
	case fixed != path:
		return never + "requests are matched with only reserved characters percent-encoded", "write " + shown(fixed)
	}
	if resolved, found := withoutDots(path, match); found {
		return never + "`.` and `..` are resolved before matching", "write " + shown(resolved)
	}
	for decoded, times := path, 0; times < 3; times++ {
		if strings.IndexByte(decoded, 0) >= 0 {
			return "a path with an encoded NUL is always refused, however often it is encoded", "remove it"
		}
		if _, found := withoutDots(decoded, match); found || dotsWithParameters(decoded) {
			return "a path that hides `.` or `..` behind an encoded slash, or before `;`, is always refused", "write the path as it is meant"
		}
		decoded = decodeOnce(decoded)
	}
	return "", ""
}

// dotsWithParameters tells whether a segment is dots to a server that cuts path
// parameters off.
func dotsWithParameters(path string) bool {
	for segment := range strings.SplitSeq(path, "/") {
		if name, _, cut := strings.Cut(segment, ";"); cut && (name == "." || name == "..") {
			return true
		}
	}
	return false
}

// normalEncoding spells a path as requests are matched: unreserved characters
// plain, what cannot stand in a request line encoded. bad is a broken
// encoding.
func normalEncoding(path string) (fixed, bad string) {
	var b strings.Builder
	for i := 0; i < len(path); i++ {
		c := path[i]
		switch {
		case c == '%':
			value, ok := hexByte(path[i+1:])
			if !ok {
				return "", path[i:min(len(path), i+3)]
			}
			if isUnreserved(value) {
				b.WriteByte(value)
			} else {
				b.WriteString(path[i : i+3])
			}
			i += 2
		case c <= ' ' || c >= 0x7f:
			fmt.Fprintf(&b, "%%%02X", c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), ""
}

// decodeOnce decodes every percent-encoding of a path, and takes backslashes
// for slashes as careless servers do.
func decodeOnce(path string) string {
	out := make([]byte, 0, len(path))
	for i := 0; i < len(path); i++ {
		c := path[i]
		if c == '%' {
			if value, ok := hexByte(path[i+1:]); ok {
				c = value
				i += 2
			}
		}
		if c == '\\' {
			c = '/'
		}
		out = append(out, c)
	}
	return string(out)
}

// withoutDots resolves dot segments and tells whether there were any. What
// follows the last slash is a segment only when the whole of it must match:
// the literal prefix /. takes /.well-known. A `..` there is refused anyway,
// since nobody means /..data by it.
func withoutDots(path string, match MatchMode) (resolved string, found bool) {
	segments := strings.Split(path, "/")[1:]
	kept := make([]string, 0, len(segments))
	for i, segment := range segments {
		last := i == len(segments)-1
		switch {
		case segment == "..":
			found = true
			kept = kept[:max(0, len(kept)-1)]
		case segment == "." && (!last || match == MatchSegment):
			found = true
		default:
			kept = append(kept, segment)
		}
	}
	return "/" + strings.Join(slices.Clip(kept), "/"), found
}

func hexByte(s string) (byte, bool) {
	if len(s) < 2 {
		return 0, false
	}
	high, low := strings.IndexByte(hexDigits, lower(s[0])), strings.IndexByte(hexDigits, lower(s[1]))
	return byte(high<<4 | low), high >= 0 && low >= 0
}

const hexDigits = "0123456789abcdef"

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

func isUnreserved(c byte) bool {
	switch {
	case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		return true
	}
	return strings.IndexByte("-._~", c) >= 0
}
