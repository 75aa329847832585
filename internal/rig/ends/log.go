package ends

import (
	"bytes"
	"strings"
	"sync"
)

// Log keeps what was written, and may be read meanwhile.
type Log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// String is all that was written so far.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// Forget lets go of it.
func (l *Log) Forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = bytes.Buffer{}
}

// Count is how often it was written.
func (l *Log) Count(what string) int { return strings.Count(l.String(), what) }
