package h2

// answered takes the head of an answer, or its trailer section.
func (s *Stream) answered(*block) *ConnError { return nil }

// ask writes the head of a request.
func (s *Stream) ask([]byte) (int, error) { return 0, errBeyond }
