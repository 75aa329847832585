package h1

import "bytes"

// rootPath stands for the path that an absolute target leaves out.
var rootPath = []byte{'/'}

// splitTarget takes the target apart. Its bytes are already known to be
// visible ASCII without '#'.
func (r *Request) splitTarget() *Error {
	t := r.Target
	switch {
	case string(r.Method) == "CONNECT":
		r.Form, r.Authority = FormAuthority, t
		if bytes.IndexByte(t, '@') >= 0 {
			return ErrTargetUserinfo
		}
		if !validAuthority(t, true) {
			return ErrTargetAuthority
		}
		return nil
	case t[0] == '/':
		return r.splitPath(t)
	case len(t) == 1 && t[0] == '*':
		r.Form = FormAsterisk
		if string(r.Method) != "OPTIONS" {
			return ErrTargetAsterisk
		}
		return nil
	}
	return r.splitAbsolute(t)
}

func (r *Request) splitAbsolute(t []byte) *Error {
	end := bytes.IndexByte(t, ':')
	if end < 0 || !equalFold(t[:end], "http") && !equalFold(t[:end], "https") {
		return ErrTargetForm
	}
	rest := t[end+1:]
	if len(rest) < 2 || rest[0] != '/' || rest[1] != '/' {
		return ErrTargetForm
	}
	rest = rest[2:]
	i := 0
	for i < len(rest) && rest[i] != '/' && rest[i] != '?' {
		i++
	}
	r.Form, r.Scheme, r.Authority = FormAbsolute, t[:end:end], rest[:i:i]
	if bytes.IndexByte(r.Authority, '@') >= 0 {
		return ErrTargetUserinfo
	}
	if !validAuthority(r.Authority, false) {
		return ErrTargetAuthority
	}
	return r.splitPath(rest[i:])
}

// splitPath splits "path?query". A backslash is a slash to some readers, and a
// percent sign without digits is an error to some and a literal to others;
// both matter in the path, which decides the route, and are left alone in the
// query, where browsers send them.
func (r *Request) splitPath(t []byte) *Error {
	path := t
	if q := bytes.IndexByte(t, '?'); q >= 0 {
		path, r.Query = t[:q:q], t[q+1:]
	}
	if bytes.IndexByte(path, '\\') >= 0 {
		return ErrTargetBackslash
	}
	for i := bytes.IndexByte(path, '%'); i >= 0 && i < len(path); i++ {
		if path[i] != '%' {
			continue
		}
		if i+2 >= len(path) || !is(path[i+1], classHex) || !is(path[i+2], classHex) {
			return ErrTargetEscape
		}
	}
	if len(path) == 0 {
		path = rootPath
	}
	r.Path = path
	return nil
}
