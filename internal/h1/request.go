package h1

// TargetForm is one of the four forms of a request target (RFC 9112 §3.2).
type TargetForm uint8

// The forms of a request target.
const (
	FormOrigin    TargetForm = iota // /path?query
	FormAbsolute                    // http://host/path?query
	FormAuthority                   // host:port, with CONNECT only
	FormAsterisk                    // *, with OPTIONS only
)

// Request is a parsed request head. It is reused from request to request;
// its slices point into the buffer given to ParseRequest.
type Request struct {
	Method []byte
	Target []byte // as it came
	Form   TargetForm
	Path   []byte // "/" if an absolute target has none; empty in the other two forms
	Query  []byte // without '?'; nil when there is no '?'
	// Scheme and Authority come from an absolute target, Authority from
	// CONNECT's as well.
	Scheme, Authority []byte
	// Host is the Host field's value, or the authority in HTTP/1.0 without
	// that field; empty in HTTP/1.0 with neither.
	Host   []byte
	Minor  uint8 // 0 or 1; a higher minor version counts as 1 (RFC 9110 §2.5)
	Fields []Field

	ContentLength int64 // -1 when there is no Content-Length
	Chunked       bool
	// Close says that the connection ends after this exchange.
	Close bool
	// KeepAlive says that an HTTP/1.0 client asked for persistence and waits
	// to be told that it has it.
	KeepAlive bool
	Expect100 bool // always false in HTTP/1.0 (RFC 9110 §10.1.1)
	// Upgrade says that the client asks to change protocols: Upgrade is there
	// and nominated in Connection, in HTTP/1.1 (RFC 9110 §7.8).
	Upgrade bool

	scan scan
}

// Reset drops everything but the memory of Fields. It must be called before a
// Request whose parse was left incomplete is used for another connection.
func (r *Request) Reset() {
	clear(r.Fields)
	*r = Request{Fields: r.Fields[:0], ContentLength: -1}
}

// ParseRequest reads a request head from the start of buf. It returns the
// head's length once it is complete, including one empty line before it if
// there is one (RFC 9112 §2.2). With 0 and no error the head is incomplete:
// call again with the same bytes and more behind them, and the parse resumes.
// If the buffer has moved in between, it starts over by itself.
func ParseRequest(buf []byte, lim Limits, r *Request) (n int, err error) {
	if len(buf) == 0 {
		return 0, nil
	}
	limit := orDefault(lim.MaxHead, DefaultMaxHead)
	if len(buf) > limit {
		buf = buf[:limit]
	}
	if !r.scan.resume(buf) {
		r.begin(buf)
	}
	done, e := r.parse(buf, orDefault(lim.MaxFields, DefaultMaxFields))
	if e == nil && done {
		e = r.finish()
	}
	if e == nil && !done {
		if len(buf) < limit {
			return 0, nil
		}
		e = ErrHeadSize
	}
	n = r.scan.pos
	r.scan = scan{}
	if e != nil {
		return 0, e
	}
	return n, nil
}

func (r *Request) begin(buf []byte) {
	*r = Request{Fields: r.Fields[:0], ContentLength: -1, scan: scan{base: &buf[0]}}
}

// parse goes as far as the bytes reach.
func (r *Request) parse(buf []byte, maxFields int) (done bool, err *Error) {
	s := &r.scan
	if s.phase == phaseStart {
		if e := lineEnd(buf, 0, nil); e != nil {
			return false, e
		}
		if buf[0] == '\r' {
			if len(buf) < 2 {
				return false, nil
			}
			s.pos, s.line = 2, 2
		}
		s.phase = phaseMethod
	}
	if s.phase == phaseMethod {
		if e := r.method(buf); e != nil || s.phase == phaseMethod {
			return false, e
		}
	}
	if s.phase == phaseTarget {
		if e := r.target(buf); e != nil || s.phase == phaseTarget {
			return false, e
		}
	}
	if s.phase == phaseVersion {
		if e := r.version(buf); e != nil || s.phase == phaseVersion {
			return false, e
		}
	}
	r.Fields, done, err = s.fields(buf, r.Fields, maxFields)
	return done, err
}

func (r *Request) method(buf []byte) *Error {
	s, i := &r.scan, r.scan.pos
	for i < len(buf) && is(buf[i], classToken) {
		i++
	}
	s.pos = i
	if i < len(buf) && buf[i] == ' ' && i > s.line {
		r.Method = buf[s.line:i:i]
		s.phase, s.pos, s.line = phaseTarget, i+1, i+1
		return nil
	}
	if e := lineEnd(buf, i, ErrMethod); e != nil {
		return e
	}
	if i+1 >= len(buf) {
		return nil
	}
	if i == s.line {
		return ErrEmptyLines
	}
	return ErrRequestLine
}

func (r *Request) target(buf []byte) *Error {
	s, i := &r.scan, r.scan.pos
	for i < len(buf) && is(buf[i], classTarget) {
		i++
	}
	s.pos = i
	if i < len(buf) && buf[i] == ' ' {
		if i == s.line {
			return ErrTargetEmpty
		}
		r.Target = buf[s.line:i:i]
		s.phase, s.pos, s.line = phaseVersion, i+1, i+1
		return nil
	}
	if i < len(buf) && buf[i] == '#' {
		return ErrTargetFragment
	}
	if e := lineEnd(buf, i, ErrTargetByte); e != nil || i+1 >= len(buf) {
		return e
	}
	return ErrHTTP09
}

// version reads "HTTP/1.x" CRLF and then takes the target apart: an unknown
// major version is reported before what its target may look like.
func (r *Request) version(buf []byte) *Error {
	s := &r.scan
	major, minor, n, e := httpVersion(buf[s.line:])
	if e != nil || n == 0 {
		return e
	}
	i := s.line + n
	if e := lineEnd(buf, i, ErrVersion); e != nil || i+1 >= len(buf) {
		return e
	}
	if major != 1 {
		return ErrMajor
	}
	r.Minor = min(minor, 1)
	s.phase, s.pos, s.line = phaseFields, i+2, i+2
	return r.splitTarget()
}

// httpVersion reads "HTTP/digit.digit"; n is 0 while it is incomplete.
func httpVersion(b []byte) (major, minor uint8, n int, err *Error) {
	const form = "HTTP/0.0" // 0 stands for any digit
	for i := range len(form) {
		if i == len(b) {
			return 0, 0, 0, nil
		}
		c := b[i]
		switch {
		case form[i] == '0' && c-'0' <= 9, form[i] == c:
		case c == '\r':
			if e := lineEnd(b, i, nil); e != nil || i+1 == len(b) {
				return 0, 0, 0, e
			}
			return 0, 0, 0, ErrVersion
		default:
			return 0, 0, 0, lineEnd(b, i, ErrVersion)
		}
	}
	return b[5] - '0', b[7] - '0', len(form), nil
}
