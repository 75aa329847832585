package handover

import "strings"

const (
	tailBytes = 4 << 10
	tailLines = 10
)

// tail keeps the end of a text.
type tail struct {
	text []byte
	cut  bool
}

func (t *tail) add(b []byte) {
	t.text = append(t.text, b...)
	if over := len(t.text) - tailBytes; over > 0 {
		t.text, t.cut = t.text[over:], true
	}
}

// String is the last lines, whole ones where some were cut off.
func (t *tail) String() string {
	lines := strings.Split(strings.TrimSpace(string(t.text)), "\n")
	if t.cut && len(lines) > 1 {
		lines = lines[1:]
	}
	return strings.Join(lines[max(len(lines)-tailLines, 0):], "\n")
}
