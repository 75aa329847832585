//go:build linux

package conformance

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
)

type field struct{ name, value string }

// message is a request or an answer, as far as it came. It is read by the
// letter, so that nothing a lenient parser passes over goes unseen.
type message struct {
	raw     []byte
	start   string
	fields  []field
	body    []byte
	trailer []field
}

// illFormed says that what came is no message at all. Other errors in reading
// say that the connection ended.
type illFormed string

func (e illFormed) Error() string { return string(e) }

// framing says how the end of a body is told.
type framing uint8

const (
	noBody framing = iota
	byLength
	byChunks
	byClose
)

func (f framing) String() string { return [...]string{"none", "length", "chunked", "close"}[f] }

// get is the value of the first field of that name, "" for none.
func (m *message) get(name string) string {
	for _, f := range m.fields {
		if strings.EqualFold(f.name, name) {
			return f.value
		}
	}
	return ""
}

// status is that of an answer.
func (m *message) status() int {
	if len(m.start) < len("HTTP/1.1 200") {
		return 0
	}
	n, _ := strconv.Atoi(m.start[9:12])
	return n
}

// line reads one line, and notes it.
func (m *message) line(in *bufio.Reader) (string, error) {
	s, err := in.ReadString('\n')
	m.raw = append(m.raw, s...)
	if err != nil {
		return s, err
	}
	if !strings.HasSuffix(s, "\r\n") || strings.Count(s, "\r") > 1 {
		return s, illFormed(fmt.Sprintf("the line %.200q", s))
	}
	return s[:len(s)-2], nil
}

func (m *message) readHead(in *bufio.Reader) (err error) {
	if m.start, err = m.line(in); err != nil {
		return err
	}
	m.fields, err = m.readFields(in)
	return err
}

// readFields reads to the empty line; nil says that it did not come.
func (m *message) readFields(in *bufio.Reader) (all []field, err error) {
	all = []field{}
	for {
		l, err := m.line(in)
		if err != nil {
			return nil, err
		}
		if l == "" {
			return all, nil
		}
		name, value, ok := strings.Cut(l, ":")
		if !ok || name == "" || strings.ContainsAny(name, " \t") {
			return all, illFormed(fmt.Sprintf("the field %.200q", l))
		}
		all = append(all, field{name, strings.TrimSpace(value)})
	}
}

// framing is how m says that its body ends; head is of a request.
func (m *message) framing() framing {
	switch {
	case m.get("Transfer-Encoding") != "":
		return byChunks
	case m.get("Content-Length") != "":
		return byLength
	}
	return noBody
}

// answerFraming is that of an answer to method.
func (m *message) answerFraming(method string) framing {
	if s := m.status(); s < 200 || s == 204 || s == 304 || method == "HEAD" {
		return noBody
	}
	if f := m.framing(); f != noBody {
		return f
	}
	return byClose
}

func (m *message) readBody(in *bufio.Reader, f framing) error {
	switch f {
	case byLength:
		n, err := strconv.Atoi(m.get("Content-Length"))
		if err != nil {
			return illFormed("the length " + m.get("Content-Length"))
		}
		return m.take(in, n)
	case byChunks:
		return m.readChunks(in)
	case byClose:
		err := m.take(in, 1<<30)
		if err == io.EOF {
			return nil
		}
		return err
	}
	return nil
}

// take reads n bytes of the body.
func (m *message) take(in *bufio.Reader, n int) error {
	for n > 0 {
		if _, err := in.Peek(1); err != nil {
			return err
		}
		b, _ := in.Peek(min(n, in.Buffered()))
		m.raw, m.body = append(m.raw, b...), append(m.body, b...)
		_, _ = in.Discard(len(b))
		n -= len(b)
	}
	return nil
}

func (m *message) readChunks(in *bufio.Reader) error {
	for {
		l, err := m.line(in)
		if err != nil {
			return err
		}
		size, _, _ := strings.Cut(l, ";")
		n, err := strconv.ParseUint(strings.TrimSpace(size), 16, 31)
		if err != nil {
			return illFormed(fmt.Sprintf("the chunk size %.200q", l))
		}
		if n == 0 {
			m.trailer, err = m.readFields(in)
			return err
		}
		if err := m.take(in, int(n)); err != nil {
			return err
		}
		if l, err = m.line(in); err != nil {
			return err
		}
		if l != "" {
			return illFormed(fmt.Sprintf("the end of a chunk %.200q", l))
		}
	}
}

// The writing of messages.

func appendFields(b []byte, all []field) []byte {
	for _, f := range all {
		b = fmt.Appendf(b, "%s: %s\r\n", f.name, f.value)
	}
	return b
}

// appendChunks frames body in chunks of sizes that d says, each with extension
// behind its size.
func appendChunks(b, body []byte, extension string, trailer []field, d dice) []byte {
	for len(body) > 0 {
		n := min(len(body), 1+d.size())
		b = fmt.Appendf(b, "%x%s\r\n", n, extension)
		b = append(append(b, body[:n]...), "\r\n"...)
		body = body[n:]
	}
	b = append(b, "0"+extension+"\r\n"...)
	return append(appendFields(b, trailer), "\r\n"...)
}

// summary is m for people: its beginning and its end.
func (m *message) summary() string {
	if m == nil {
		return "nothing"
	}
	const most = 1500
	if len(m.raw) <= 2*most {
		return fmt.Sprintf("%q", m.raw)
	}
	return fmt.Sprintf("%q … %d bytes … %q", m.raw[:most], len(m.raw)-2*most, m.raw[len(m.raw)-most:])
}

// parts says where got parts from the beginning of want; "" where it does not.
func parts(got, want []byte) string {
	if bytes.HasPrefix(want, got) {
		return ""
	}
	at := 0
	for at < len(got) && at < len(want) && got[at] == want[at] {
		at++
	}
	return fmt.Sprintf("at byte %d of %d comes %.80q instead of %.80q", at, len(want), got[at:], want[at:])
}
