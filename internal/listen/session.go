package listen

import (
	"bytes"
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/tls"
)

// resume has c's tickets sealed with what is derived of keys for those listeners
// alone that trust the same clients, and bound to the name that was asked for: a
// session goes on for the same name (RFC 6066 §3), and where a certificate is
// served for it still.
func (t *TLS) resume(c *tls.Config, keys [][32]byte, trust []byte) {
	derived := make([][32]byte, len(keys))
	for i, secret := range keys {
		key, _ := hkdf.Key(sha256.New, secret[:], trust, "rgate session tickets", len(derived[i])) // fails for lengths beyond reason
		derived[i] = [32]byte(key)
	}
	c.SetSessionTicketKeys(derived)
	c.WrapSession = func(state tls.ConnectionState, session *tls.SessionState) ([]byte, error) {
		if !sessionFor(session, state.ServerName) {
			session.Extra = append(session.Extra, sessionName(state.ServerName))
		}
		return c.EncryptTicket(state, session)
	}
	c.UnwrapSession = func(ticket []byte, state tls.ConnectionState) (*tls.SessionState, error) {
		session, err := c.DecryptTicket(ticket, state)
		if session == nil || err != nil || !sessionFor(session, state.ServerName) {
			return nil, err
		}
		if name := state.ServerName; name != "" && !t.certs.Serves(name) {
			return nil, nil
		}
		return session, nil
	}
}

// sessionName is what a session knows its name by, in the list of those things
// that TLS itself does not look at.
func sessionName(name string) []byte { return append([]byte("rgate name:"), name...) }

func sessionFor(session *tls.SessionState, name string) bool {
	want := sessionName(name)
	for _, extra := range session.Extra {
		if bytes.Equal(extra, want) {
			return true
		}
	}
	return false
}

// Reseal has tickets sealed with the keys of the moment, without waiting for Follow
// to hear of them.
func (s Set) Reseal() {
	for _, l := range s {
		if t := l.TLS(); t != nil {
			t.renew()
		}
	}
}

// Follow has tickets sealed with the keys of the moment, until ctx ends.
func (t *TLS) Follow(ctx context.Context) {
	if t.tickets == nil {
		return
	}
	for {
		changed := t.tickets.Changed()
		t.renew()
		select {
		case <-ctx.Done():
			return
		case <-changed:
		}
	}
}
