package h2

// incoming is a DATA frame that is coming, piece by piece.
type incoming struct {
	stream *Stream // nil where nobody is there for it
	left   int     // bytes of data
	pad    int     // bytes of padding
	end    bool    // the stream's last
}

func (d *incoming) more() bool { return d.left > 0 || d.pad > 0 }

// begin takes the head of a DATA frame, which counts whole for flow control, its
// padding too (RFC 9113 §6.1).
func (c *Conn) begin(f *frame, b []byte) (int, *ConnError) {
	n, pad := frameHead, 0
	if f.has(flagPadded) {
		if f.length == 0 {
			return 0, fatal(FrameSizeError, "a frame has no room for its padding")
		}
		if len(b) <= frameHead {
			return 0, nil
		}
		if pad = int(b[frameHead]); pad >= f.length {
			return 0, fatal(ProtocolError, "padding larger than the frame")
		}
		n++
	}
	if c.received -= int64(f.length); c.received < 0 {
		return 0, fatal(FlowControlError, "more DATA than the connection's window")
	}
	s, wrong := c.receiver(f)
	if wrong != nil {
		return 0, wrong
	}
	c.data = incoming{stream: s, left: f.length - (n - frameHead) - pad, pad: pad, end: f.has(flagEndStream)}
	idle := c.data.left
	if s != nil {
		idle = 0 // its data is told of when it is read
		s.opens(f.length - c.data.left)
	}
	c.opens(f.length - c.data.left + idle)
	if c.data.left == 0 && !c.data.end {
		if err := c.spend("DATA frames with nothing in them"); err != nil {
			return 0, err
		}
	}
	if !c.data.more() {
		return n, c.arrived()
	}
	return n, nil
}

// receiver is the stream that takes a DATA frame; nil where what comes is dropped.
func (c *Conn) receiver(f *frame) (*Stream, *ConnError) {
	s := c.streams[f.id]
	switch {
	case s == nil && c.idle(f.id):
		return nil, fatal(ProtocolError, "DATA on a stream that nobody opened")
	case s == nil && c.ended.has(f.id):
		return nil, nil
	case s == nil || s.ended:
		return nil, c.endStream(f.id, StreamClosed, "DATA on a stream that was ended")
	case c.o.Client && !s.headed:
		return nil, c.endStream(f.id, ProtocolError, "DATA before a head")
	}
	if s.received -= int64(f.length); s.received < 0 {
		return nil, c.endStream(f.id, FlowControlError, "more DATA than the stream's window")
	}
	return s, nil
}

// piece takes what is there of the frame.
func (c *Conn) piece(b []byte) (int, *ConnError) {
	d := &c.data
	n := min(d.left, len(b))
	d.left -= n
	var wrong *ConnError
	if s := d.stream; s != nil && n > 0 {
		switch {
		case s.lingers:
			c.opens(n)
			wrong = c.endStream(s.id, Cancel, ErrLength.Text)
		case s.err != nil:
			c.opens(n)
		default:
			wrong = s.arrive(b[:n])
		}
	}
	skip := min(d.pad, len(b)-n)
	d.pad -= skip
	if wrong == nil && !d.more() {
		wrong = c.arrived()
	}
	return n + skip, wrong
}

// arrived ends the frame.
func (c *Conn) arrived() *ConnError {
	d := c.data
	c.data = incoming{}
	if d.stream != nil && d.stream.lingers && d.end {
		c.drop(d.stream)
	}
	if d.stream == nil || d.stream.err != nil || !d.end {
		return nil
	}
	return d.stream.finish(nil)
}

// opens says that n bytes of the connection's window are read. The other side is
// told once it is worth a frame.
func (c *Conn) opens(n int) {
	if c.unread += n; c.unread >= connWindow/4 {
		c.out = appendWindowUpdate(c.out, 0, c.unread)
		c.received += int64(c.unread)
		c.unread = 0
	}
}

// opens says that n bytes of the stream's window are read.
func (s *Stream) opens(n int) {
	if s.ended || s.err != nil {
		return
	}
	if s.unread += n; s.unread >= streamWindow/4 {
		s.c.out = appendWindowUpdate(s.c.out, s.id, s.unread)
		s.received += int64(s.unread)
		s.unread = 0
	}
}
