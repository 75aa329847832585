package acme

import (
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	// What keeps the file of a lock fresh looks every few seconds whether it is
	// there, and ends by itself when it is not.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/caddyserver/certmagic.keepLockfileFresh"))
}
