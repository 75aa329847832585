package h1

// Response is a parsed answer head. It is reused from answer to answer; its
// slices point into the buffer given to ParseResponse.
type Response struct {
	Status int
	Reason []byte
	Minor  uint8 // 0 or 1
	Fields []Field

	// Interim says that the final answer is still to come: 1xx, but not 101.
	Interim bool
	// Upgrade is 101: what follows the head is another protocol.
	Upgrade bool
	// NoBody says that the head is the whole message: HEAD, 1xx, 204, 304.
	// ContentLength may then still tell what a GET would have had.
	NoBody        bool
	ContentLength int64 // -1 when there is no Content-Length
	Chunked       bool
	UntilClose    bool // the body ends with the connection
	// Close says that the connection must not carry another exchange.
	Close bool

	scan scan
}

// Reset drops everything but the memory of Fields. It must be called before a
// Response whose parse was left incomplete is used for another connection.
func (r *Response) Reset() {
	clear(r.Fields)
	*r = Response{Fields: r.Fields[:0], ContentLength: -1}
}

// ParseResponse reads an answer head from the start of buf, as ParseRequest
// reads a request's. The method is the one of the request it answers.
func ParseResponse(buf []byte, lim Limits, method []byte, r *Response) (n int, err error) {
	if len(buf) == 0 {
		return 0, nil
	}
	limit := orDefault(lim.MaxHead, DefaultMaxHead)
	if len(buf) > limit {
		buf = buf[:limit]
	}
	if !r.scan.resume(buf) {
		*r = Response{Fields: r.Fields[:0], ContentLength: -1, scan: scan{base: &buf[0]}}
	}
	done, e := r.parse(buf, orDefault(lim.MaxFields, DefaultMaxFields))
	if e == nil && done {
		e = r.finish(method)
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

func (r *Response) parse(buf []byte, maxFields int) (done bool, err *Error) {
	if r.scan.phase != phaseFields {
		if e := r.statusLine(buf); e != nil || r.scan.phase != phaseFields {
			return false, e
		}
	}
	r.Fields, done, err = r.scan.fields(buf, r.Fields, maxFields)
	return done, err
}

// statusLine reads the status line. Servers that leave out the reason phrase
// often leave out the space before it too, which changes nothing.
func (r *Response) statusLine(buf []byte) *Error {
	s := &r.scan
	if s.phase == phaseStart {
		n, e := r.versionAndStatus(buf)
		if e != nil || n == 0 {
			return e
		}
		s.phase, s.pos, s.line = phaseVersion, n, n
	}
	i := endOfText(buf, s.pos)
	s.pos = i
	if e := lineEnd(buf, i, ErrControl); e != nil || i+1 >= len(buf) {
		return e
	}
	if r.Reason = buf[s.line:i:i]; len(r.Reason) > 0 {
		if r.Reason[0] != ' ' {
			return ErrStatusLine
		}
		r.Reason = r.Reason[1:]
	}
	s.phase, s.pos, s.line = phaseFields, i+2, i+2
	return nil
}

// versionAndStatus reads "HTTP/1.x ddd"; n is 0 while it is incomplete.
func (r *Response) versionAndStatus(buf []byte) (n int, err *Error) {
	major, minor, n, e := httpVersion(buf)
	if e != nil || n == 0 {
		return 0, e
	}
	if major != 1 {
		return 0, ErrMajor
	}
	status := 0
	for i := n; i < n+4; i++ {
		if i == len(buf) {
			return 0, nil
		}
		switch c := buf[i]; {
		case i == n && c == ' ':
		case i > n && c-'0' <= 9:
			status = status*10 + int(c-'0')
		default:
			if e := lineEnd(buf, i, ErrStatusLine); e != nil || i+1 == len(buf) {
				return 0, e
			}
			return 0, ErrStatusLine
		}
	}
	if status < 100 {
		return 0, ErrStatusLine
	}
	r.Status, r.Minor = status, min(minor, 1)
	return n + 4, nil
}

// finish applies RFC 9112 §6.3.
func (r *Response) finish(method []byte) *Error {
	fr := framing{length: -1}
	for i := range r.Fields {
		f := &r.Fields[i]
		if f.ID-FieldContentLength > FieldUpgrade-FieldContentLength {
			continue
		}
		if err := fr.add(f); err != nil {
			return err
		}
	}
	if err := fr.end(r.Minor, r.Fields); err != nil {
		return err
	}
	r.ContentLength, r.Chunked = fr.length, fr.chunked
	r.Close = fr.close || r.Minor == 0 && !fr.keepAlive
	announced := fr.chunked || fr.length > 0
	switch {
	case r.Status < 200:
		// Bytes of such a body would be read as the final answer.
		if announced {
			return ErrInterimFraming
		}
		r.NoBody, r.Upgrade, r.Interim = true, r.Status == 101, r.Status != 101
	case r.Status == 204:
		// Servers do announce a body here and some send it. The message ends
		// with its head all the same, and what follows is not to be trusted.
		r.NoBody, r.Close = true, r.Close || announced
		r.ContentLength, r.Chunked = -1, false
	case r.Status == 304, string(method) == "HEAD":
		r.NoBody, r.Chunked = true, false
	case !fr.chunked && fr.length < 0:
		r.UntilClose, r.Close = true, true
	}
	return nil
}
