package h1

// scan is where a parse stands, so that it can go on when more bytes have
// come. All positions are offsets into the head.
type scan struct {
	base  *byte // first byte of the buffer, to notice that the caller moved it
	phase phase
	pos   int // bytes up to here are known to be good
	line  int // start of the current element or line
	colon int // end of the current line's name, 0 while inside the name
}

type phase uint8

const (
	phaseStart phase = iota
	phaseMethod
	phaseTarget
	phaseVersion
	phaseFields
)

// resume reports whether buf continues the parse that s stands in. After a
// move the slices made so far point elsewhere, so the parse starts over;
// buffers that double when full move rarely enough for that to be cheap.
func (s *scan) resume(buf []byte) bool {
	return s.phase != phaseStart && s.base == &buf[0] && s.pos <= len(buf)
}

// fields reads field lines up to and including the empty line and appends them
// to fs. It reports whether the empty line was reached; then s.pos is after it.
func (s *scan) fields(buf []byte, fs []Field, limit int) ([]Field, bool, *Error) {
	for {
		if s.colon == 0 {
			done, more, err := s.name(buf, len(fs) == 0)
			if done || more || err != nil {
				return fs, done, err
			}
			if len(fs) >= limit {
				return fs, false, ErrFieldCount
			}
		}
		i := endOfText(buf, s.pos)
		if i+1 >= len(buf) || buf[i] != '\r' || buf[i+1] != '\n' {
			s.pos = i
			return fs, false, lineEnd(buf, i, ErrControl)
		}
		name := buf[s.line:s.colon:s.colon]
		id := lookupField(name)
		fs = append(fs, Field{
			Name:  name,
			Value: trim(buf[s.colon+1 : i : i]),
			ID:    id,
			Hop:   knownFields[id].hop,
		})
		s.pos, s.line, s.colon = i+2, i+2, 0
	}
}

// name reads a field name and its colon, or the empty line (done).
func (s *scan) name(buf []byte, first bool) (done, more bool, err *Error) {
	i := s.pos
	for i < len(buf) && is(buf[i], classToken) {
		i++
	}
	s.pos = i
	if i == len(buf) {
		return false, true, nil
	}
	if buf[i] == ':' {
		if i == s.line {
			return false, false, ErrName
		}
		s.colon, s.pos = i, i+1
		return false, false, nil
	}
	switch c := buf[i]; {
	case isSpace(c) && i > s.line:
		return false, false, ErrNameSpace
	case isSpace(c) && first:
		return false, false, ErrFirstSpace
	case isSpace(c):
		return false, false, ErrObsFold
	case c != '\r' && c != '\n':
		return false, false, ErrName
	}
	if e := lineEnd(buf, i, nil); e != nil || i+1 == len(buf) {
		return false, e == nil, e
	}
	if i > s.line {
		return false, false, ErrNoColon
	}
	s.pos = i + 2
	return true, false, nil
}

// lineEnd judges the byte at i, where an element of a line stopped: nil for a
// CRLF and for as much of one as has come, the error for half of one, and
// otherwise for any other byte.
func lineEnd(buf []byte, i int, otherwise *Error) *Error {
	switch {
	case i >= len(buf):
		return nil
	case buf[i] == '\n':
		return ErrBareLF
	case buf[i] != '\r':
		return otherwise
	case i+1 < len(buf) && buf[i+1] != '\n':
		return ErrBareCR
	}
	return nil
}
