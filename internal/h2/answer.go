package h2

import (
	"errors"
	"strconv"
	"sync"

	"rgate/internal/h1"
)

// What is written was judged before: these bounds are far away.
var wide = h1.Limits{MaxHead: 8 << 20, MaxFields: 100_000}

var answers = sync.Pool{New: func() any { return new(h1.Response) }}

var (
	errAccept = errors.New("cannot pass on a WebSocket whose Sec-WebSocket-Accept is wrong")
	errNoEnd  = errors.New("cannot pass on an answer that ends with its connection")
)

// sayHead writes the head of an answer, once it is whole.
func (s *Stream) sayHead(b []byte) (int, error) {
	if s.c.o.Client {
		return s.ask(b)
	}
	if err := s.roomForHead(); err != nil {
		return 0, err
	}
	text, had := b, len(s.head)
	if had > 0 {
		s.head = append(s.head, b...)
		text = s.head
	}
	p := answers.Get().(*h1.Response)
	defer func() {
		p.Reset()
		answers.Put(p)
	}()
	p.Reset()
	n, err := h1.ParseResponse(text, wide, []byte(s.method), p)
	switch {
	case err != nil:
		s.reset(InternalError, err)
		return 0, err
	case n == 0:
		if had == 0 {
			s.head = append(s.head, b...)
		}
		return len(b), nil
	}
	s.head = nil
	if err := s.answer(p); err != nil {
		s.reset(InternalError, err)
		return 0, err
	}
	return n - had, nil
}

// answer sends the head of an answer.
func (s *Stream) answer(p *h1.Response) error {
	status := p.Status
	switch {
	case p.Upgrade:
		if s.accept == "" || field(p.Fields, "sec-websocket-accept") != s.accept {
			return errAccept
		}
		status = 200
		s.phase, s.tunnel, s.chunked = inTunnel, true, false
		s.reads.signal()
	case p.UntilClose:
		return errNoEnd
	case !p.Interim:
		s.phase = atBody
		p.Body(&s.body, h1.Limits{})
	}
	s.c.encoded.Reset()
	s.c.encode(":status", strconv.Itoa(status))
	for i := range p.Fields {
		f := &p.Fields[i]
		switch {
		case f.Hop, f.ID == h1.FieldContentLength && (p.Interim || p.Upgrade || p.ContentLength < 0):
		case p.Upgrade && f.ID == h1.FieldOther && lower(f.Name) == "sec-websocket-accept":
		default:
			s.c.field(f)
		}
	}
	s.sayBlock(s.phase == atBody && s.body.Done())
	return nil
}
