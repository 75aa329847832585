package proxy

import (
	"bytes"
	"errors"

	"rgate/internal/route"
)

// Why a path is refused.
var (
	errPathEscape = errors.New("malformed percent-encoding in the path")
	errPathClimbs = errors.New("the path climbs above /")
	errPathHidden = errors.New("the path hides dot segments behind encoding")
	errPathNUL    = errors.New("the path holds an encoded NUL")
	errPathStart  = errors.New("the path does not begin with /")
)

// Bytes that need a closer look than the fast path's.
var pathSpecial = [256]bool{'%': true, '\\': true, ';': true, 0: true}

// Normalize returns path as rgate matches and forwards it (RFC 3986 §6.2.2):
// percent-encoded unreserved characters decoded, dot segments resolved, all
// else byte for byte. A path that is normal already is returned as it is;
// otherwise the result is built in dst. Refused are malformed escapes, paths
// that climb above the root, and paths that a server which decodes once or
// twice more would read with dot segments or a NUL in them.
func Normalize(dst, path []byte) ([]byte, error) {
	if len(path) == 0 {
		return append(dst[:0], '/'), nil
	}
	if path[0] != '/' {
		return nil, errPathStart
	}
	if clean(path) {
		return path, nil
	}
	decoded, err := decodeUnreserved(dst[:0], path)
	if err != nil {
		return nil, err
	}
	if decoded, err = removeDots(decoded); err != nil {
		return nil, err
	}
	return decoded, hidden(decoded)
}

// clean tells whether path is certain to be normal: no escapes, nothing odd,
// and no segment that begins with a dot.
func clean(path []byte) bool {
	for i, c := range path {
		if pathSpecial[c] || c == '.' && path[i-1] == '/' {
			return false
		}
	}
	return true
}

func unreserved(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '.' || c == '_' || c == '~'
}

func decodeUnreserved(dst, path []byte) ([]byte, error) {
	for i := 0; i < len(path); i++ {
		if path[i] != '%' {
			dst = append(dst, path[i])
			continue
		}
		c, ok := route.Escaped(path, i)
		switch {
		case !ok:
			return nil, errPathEscape
		case unreserved(c):
			dst = append(dst, c)
		default:
			dst = append(dst, path[i:i+3]...)
		}
		i += 2
	}
	return dst, nil
}

// removeDots resolves dot segments in place (RFC 3986 §5.2.4), except that
// climbing above the root is an error.
func removeDots(path []byte) ([]byte, error) {
	out := path[:0]
	for i := 0; i < len(path); {
		end := i + 1
		for end < len(path) && path[end] != '/' {
			end++
		}
		last := end == len(path)
		switch segment := path[i+1 : end]; {
		case len(segment) == 1 && segment[0] == '.':
			if last {
				out = append(out, '/')
			}
		case len(segment) == 2 && segment[0] == '.' && segment[1] == '.':
			at := bytes.LastIndexByte(out, '/')
			if at < 0 {
				return nil, errPathClimbs
			}
			out = out[:at]
			if last {
				out = append(out, '/')
			}
		default:
			out = append(out, path[i:end]...)
		}
		i = end
	}
	return out, nil
}

// hidden refuses what a server behind rgate could read differently if it
// decoded the path once or twice more, took a backslash for a slash, or cut
// path parameters off.
func hidden(path []byte) error {
	for range 3 {
		if bytes.IndexByte(path, 0) >= 0 {
			return errPathNUL
		}
		segments := bytes.FieldsFunc(path, func(r rune) bool { return r == '/' || r == '\\' })
		for _, s := range segments {
			if at := bytes.IndexByte(s, ';'); at >= 0 {
				s = s[:at]
			}
			if string(s) == "." || string(s) == ".." {
				return errPathHidden
			}
		}
		path = decodeAll(path)
	}
	return nil
}

func decodeAll(path []byte) []byte {
	out := make([]byte, 0, len(path))
	for i := 0; i < len(path); i++ {
		if c, ok := route.Escaped(path, i); ok {
			out = append(out, c)
			i += 2
		} else {
			out = append(out, path[i])
		}
	}
	return out
}
