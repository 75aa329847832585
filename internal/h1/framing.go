package h1

import "math"

// framing is what the fields of a head say about the message's end and the
// connection's, the same for requests and answers.
type framing struct {
	length           int64 // -1 without Content-Length
	chunked          bool
	close, keepAlive bool // connection options
	upgrade          bool // Upgrade present and nominated
	upgradeField     bool
	nominated        bool // Connection names fields
	options          int  // connection options so far
	te               bool // Transfer-Encoding present
}

// add takes in one field. It is called for framing fields only.
func (f *framing) add(field *Field) *Error {
	switch field.ID {
	case FieldContentLength:
		if f.length >= 0 {
			return ErrCLRepeated
		}
		n, ok := parseLength(field.Value)
		if !ok {
			return ErrCL
		}
		f.length = n
	case FieldTransferEncoding:
		if f.te {
			return ErrTERepeated
		}
		f.te = true
		return checkCodings(field.Value)
	case FieldConnection:
		return f.addOptions(field.Value)
	case FieldUpgrade:
		f.upgradeField = true
	}
	return nil
}

// end judges the fields together, once all have been added.
func (f *framing) end(minor uint8, fields []Field) *Error {
	if f.te {
		if f.length >= 0 {
			return ErrCLAndTE
		}
		if minor == 0 {
			return ErrTEInHTTP10
		}
		f.chunked = true
	}
	f.upgrade = f.upgrade && f.upgradeField && minor > 0
	if f.nominated {
		markNominated(fields)
	}
	return nil
}

// parseLength reads 1*DIGIT that fits an int64: no sign, no list, no space.
func parseLength(b []byte) (int64, bool) {
	n := int64(0)
	for _, c := range b {
		d := int64(c - '0')
		if d > 9 || n > (math.MaxInt64-d)/10 {
			return 0, false
		}
		n = n*10 + d
	}
	return n, len(b) > 0
}

// checkCodings accepts "chunked" and nothing else, and says why not.
func checkCodings(b []byte) *Error {
	if equalFold(b, "chunked") {
		return nil
	}
	chunked, unknown := 0, false
	for rest := b; rest != nil; {
		var coding []byte
		coding, rest = nextElement(rest)
		switch {
		case !isToken(coding):
			return ErrTE // empty elements and parameters included
		case chunked > 0:
			return ErrTENotFinal
		case equalFold(coding, "chunked"):
			chunked++
		default:
			unknown = true
		}
	}
	if unknown {
		return ErrTEUnknown
	}
	return ErrTE
}

func isToken(b []byte) bool {
	for _, c := range b {
		if !is(c, classToken) {
			return false
		}
	}
	return len(b) > 0
}

// addOptions reads one Connection field. Members that are no tokens name no
// field and mean nothing.
func (f *framing) addOptions(value []byte) *Error {
	for rest := value; len(rest) > 0; {
		var option []byte
		option, rest = nextElement(rest)
		if len(option) == 0 {
			continue
		}
		if f.options++; f.options > maxConnectionOptions {
			return ErrConnOptions
		}
		switch {
		case equalFold(option, "close"):
			f.close = true
		case equalFold(option, "keep-alive"):
			f.keepAlive = true
		case equalFold(option, "upgrade"):
			f.upgrade = true
		default:
			f.nominated = true
		}
	}
	return nil
}

// markNominated marks the fields that Connection names. A nomination of a
// field that others rely on is ignored: a client could otherwise have a proxy
// strip what the proxy before it had added.
func markNominated(fields []Field) {
	for i := range fields {
		if fields[i].ID != FieldConnection {
			continue
		}
		for rest := fields[i].Value; len(rest) > 0; {
			var option []byte
			option, rest = nextElement(rest)
			for j := range fields {
				f := &fields[j]
				if !knownFields[f.ID].kept && equalFold(f.Name, option) {
					f.Hop = true
				}
			}
		}
	}
}

// finish derives what the fields mean together.
func (r *Request) finish() *Error {
	fr := framing{length: -1}
	hosts := 0
	for i := range r.Fields {
		f := &r.Fields[i]
		if f.ID-FieldHost > FieldUpgrade-FieldHost {
			continue
		}
		var err *Error
		switch f.ID {
		case FieldHost:
			hosts++
			r.Host = f.Value
		case FieldExpect:
			err = r.expect(f.Value)
		default:
			err = fr.add(f)
		}
		if err != nil {
			return err
		}
	}
	if err := r.checkHost(hosts); err != nil {
		return err
	}
	if err := fr.end(r.Minor, r.Fields); err != nil {
		return err
	}
	r.ContentLength, r.Chunked, r.Upgrade = fr.length, fr.chunked, fr.upgrade
	r.KeepAlive = r.Minor == 0 && fr.keepAlive && !fr.close
	r.Close = fr.close || r.Minor == 0 && !r.KeepAlive
	return nil
}

func (r *Request) expect(value []byte) *Error {
	if !equalFold(value, "100-continue") {
		return ErrExpect
	}
	r.Expect100 = r.Minor > 0
	return nil
}

func (r *Request) checkHost(hosts int) *Error {
	switch {
	case hosts > 1:
		return ErrHostRepeated
	case hosts == 0 && r.Minor > 0:
		return ErrHostMissing
	case hosts == 0:
		r.Host = r.Authority
		return nil
	case !validAuthority(r.Host, false):
		return ErrHost
	case r.Form != FormOrigin && r.Form != FormAsterisk && !equalFold(r.Host, r.Authority):
		return ErrHostDiffers
	}
	return nil
}
