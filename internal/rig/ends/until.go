package ends

import (
	"testing"
	"time"
)

// Patience is how long what must come is waited for, on however busy a machine.
const Patience = 30 * time.Second

// Until waits for what others bring about.
func Until(t testing.TB, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(Patience); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}
