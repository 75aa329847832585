package wire

import (
	"bytes"

	"rgate/internal/h1"
	"rgate/internal/policy"
	"rgate/internal/proxy"
)

// An endpoint whose paths begin elsewhere than the client's names its own ones in
// its answers, so that these are changed back.

// namesPath tells whether f names a path of the endpoint's.
func namesPath(f *h1.Field) bool {
	return f.ID == h1.FieldLocation || f.ID == h1.FieldSetCookie || len(f.Name) == len(contentLocation) && foldEqual(f.Name, contentLocation)
}

const contentLocation = "Content-Location"

// appendRestored appends f with its path as the client has to ask for it.
func appendRestored(dst []byte, x *proxy.Exchange, f *h1.Field) []byte {
	dst = append(append(dst, f.Name...), ": "...)
	if f.ID == h1.FieldSetCookie {
		dst = appendCookie(dst, x.Rewrites(), f.Value)
	} else {
		dst = appendLocation(dst, x, f.Value)
	}
	return append(dst, '\r', '\n')
}

// appendLocation appends a reference. One that is relative to what was asked for,
// or leads to another host, is right as it is.
func appendLocation(dst []byte, x *proxy.Exchange, to []byte) []byte {
	path := to
	if at := schemeOf(to); at > 0 {
		rest := to[at+3:]
		end := bytes.IndexAny(rest, "/?#")
		if end < 0 {
			end = len(rest)
		}
		if !bytes.EqualFold(rest[:end], x.Host) {
			return append(dst, to...)
		}
		dst = append(dst, to[:at+3+end]...)
		if path = rest[end:]; len(path) == 0 || path[0] != '/' {
			path = append([]byte("/"), path...)
		}
	}
	if len(path) == 0 || path[0] != '/' || len(path) > 1 && path[1] == '/' {
		return append(dst, path...)
	}
	end := bytes.IndexAny(path, "?#")
	if end < 0 {
		end = len(path)
	}
	return append(append(dst, restored(x.Rewrites(), path[:end])...), path[end:]...)
}

// schemeOf is how long the scheme of a URL is, which has a host; 0 for none. What
// follows a path or a query begins no URL: /login?next=http://h/x.
func schemeOf(to []byte) int {
	at := bytes.Index(to, []byte("://"))
	if at < 0 || !bytes.EqualFold(to[:at], []byte("http")) && !bytes.EqualFold(to[:at], []byte("https")) {
		return 0
	}
	return at
}

// hostOnly begins the names of cookies that browsers take with Path=/ alone (RFC
// 6265bis §4.1.3.2).
var hostOnly = []byte("__Host-")

// appendCookie appends a cookie, whose path has no slash at its end unless it is
// all paths, as /app/ would not hold for /app itself (RFC 6265 §5.1.4).
func appendCookie(dst []byte, by []*policy.Prefix, cookie []byte) []byte {
	if len(cookie) >= len(hostOnly) && bytes.EqualFold(cookie[:len(hostOnly)], hostOnly) {
		return append(dst, cookie...)
	}
	for i, part := range bytes.Split(cookie, []byte(";")) {
		if i > 0 {
			dst = append(dst, ';')
		}
		name, value, ok := bytes.Cut(part, []byte("="))
		value = bytes.TrimSpace(value)
		if i == 0 || !ok || !bytes.EqualFold(bytes.TrimSpace(name), []byte("path")) || len(value) == 0 || value[0] != '/' {
			dst = append(dst, part...)
			continue
		}
		path := restored(by, value)
		if len(path) > 1 && len(value) == 1 {
			path = bytes.TrimSuffix(path, []byte("/"))
		}
		dst = append(append(append(dst, name...), '='), path...)
	}
	return dst
}

// restored takes the changes back, the last first.
func restored(by []*policy.Prefix, path []byte) []byte {
	for i := len(by) - 1; i >= 0; i-- {
		path = by[i].Restore(nil, path)
	}
	return path
}

// appendForwardedPrefix says what was taken off the path, after what a trusted
// peer says that it took off before.
func appendForwardedPrefix(dst []byte, x *proxy.Exchange) []byte {
	begun := false
	for _, p := range x.Rewrites() {
		if p.Stripped() == "" {
			continue
		}
		if !begun {
			begun = true
			dst = append(dst, forwardedPrefix...)
			dst = append(dst, ": "...)
			if x.Trusted() {
				dst = append(dst, bytes.TrimRight(x.Header.Get(forwardedPrefix), "/")...)
			}
		}
		dst = append(dst, p.Stripped()...)
	}
	if begun {
		dst = append(dst, '\r', '\n')
	}
	return dst
}

const forwardedPrefix = "X-Forwarded-Prefix"

func isPrefix(f *h1.Field) bool {
	return f.ID == h1.FieldXForwardedOther && len(f.Name) == len(forwardedPrefix) && foldEqual(f.Name, forwardedPrefix)
}

// saysPrefix tells whether rgate says X-Forwarded-Prefix itself.
func saysPrefix(x *proxy.Exchange) bool {
	for _, p := range x.Rewrites() {
		if p.Stripped() != "" {
			return true
		}
	}
	return false
}
