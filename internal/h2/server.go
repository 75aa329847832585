package h2

// complete takes a field block that came whole. A server's is a request or the
// trailer section of one, a client's an answer or its.
func (c *Conn) complete(k *block) *ConnError {
	s := c.streams[k.id]
	switch {
	case c.o.Client && s != nil:
		return s.answered(k)
	case s != nil:
		return s.trailers(k)
	case c.ended.has(k.id) || c.o.Client:
		return c.spend("heads on streams that are over")
	case c.leaving == gone && k.id > c.last:
		return nil // it was said that such streams are not taken
	}
	if len(c.streams) >= c.o.Streams || c.running >= 2*c.o.Streams {
		return c.endNew(k.id, RefusedStream)
	}
	if k.on == k.id {
		return c.endNew(k.id, ProtocolError)
	}
	s = c.newStream(k.id)
	s.request(k)
	c.opened = append(c.opened, s)
	c.served++
	c.running++
	if k.end {
		s.ended = true
	}
	if s.refused != nil {
		return c.strike()
	}
	return nil
}

func (c *Conn) newStream(id uint32) *Stream {
	s := &Stream{c: c, id: id, left: -1, received: streamWindow, window: c.peerWindow, abandon: InternalError}
	c.streams[id] = s
	return s
}

// endNew refuses a stream that was not opened. REFUSED_STREAM says that it may be
// asked for again.
func (c *Conn) endNew(id uint32, code Code) *ConnError {
	c.out = appendReset(c.out, id, code)
	c.ended.add(id)
	return c.strike()
}

// trailers takes the fields after the body. Where that has a length, HTTP/1.1 has
// no place for them.
func (s *Stream) trailers(k *block) *ConnError {
	if !k.end {
		return s.c.endStream(s.id, ProtocolError, "a trailer section that does not end the stream")
	}
	if k.section.wrong != nil {
		return s.c.endStream(s.id, EnhanceYourCalm, k.section.wrong.Text)
	}
	var text []byte
	for i := range k.section.fields {
		f := &k.section.fields[i]
		if f.IsPseudo() {
			return s.c.endStream(s.id, ProtocolError, ErrTrailer.Text)
		}
		if wrong := checkField(f); wrong != nil {
			return s.c.endStream(s.id, ProtocolError, wrong.Text)
		}
		text = appendField(text, f.Name, f.Value)
	}
	return s.finish(text)
}
