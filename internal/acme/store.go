package acme

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io/fs"
	"path"
	"time"

	"github.com/caddyserver/certmagic"
)

// held is a certificate as the storage has it.
type held struct {
	*tls.Certificate
	from string // the key of its authority
}

// load is the newest certificate for a name in the storage, of any authority
// that is used now; nil for none.
func (m *Manager) load(ctx context.Context, name string) (*held, error) {
	var newest *held
	var failed error
	for _, a := range m.authorities {
		c, err := m.loadFrom(ctx, a.IssuerKey(), name)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			failed = err
		}
		if c != nil && (newest == nil || c.Leaf.NotBefore.After(newest.Leaf.NotBefore)) {
			newest = &held{c, a.IssuerKey()}
		}
	}
	if newest != nil {
		return newest, nil
	}
	return nil, failed
}

func (m *Manager) loadFrom(ctx context.Context, from, name string) (*tls.Certificate, error) {
	chain, err := m.storage.Load(ctx, certmagic.StorageKeys.SiteCert(from, name))
	if err != nil {
		return nil, err
	}
	key, err := m.storage.Load(ctx, certmagic.StorageKeys.SitePrivateKey(from, name))
	if err != nil {
		return nil, err
	}
	c, err := tls.X509KeyPair(chain, key)
	if err != nil {
		return nil, err // half written: the other half comes
	}
	return &c, nil
}

// ledgerKey is where it is kept when a name was ordered: a process that is
// started again and again must not order each time.
func ledgerKey(name string) string {
	return path.Join("orders", certmagic.StorageKeys.Safe(name)+".json")
}

// ordered is when a name was ordered in the last day, by any process.
func (m *Manager) ordered(ctx context.Context, name string) (orders []time.Time) {
	if text, err := m.storage.Load(ctx, ledgerKey(name)); err == nil {
		_ = json.Unmarshal(text, &orders) // what cannot be read counts for nothing
	}
	return orders
}

// record adds orders to those of a name. Once one had a certificate, those before
// count no more: what lives for an hour alone is ordered often.
func (m *Manager) record(ctx context.Context, name string, before, made []time.Time, well bool) error {
	switch {
	case well && len(before) > 0:
		return m.storage.Delete(ctx, ledgerKey(name))
	case well || len(made) == 0:
		return nil
	}
	all := append(before, made...)
	text, err := json.Marshal(all[max(0, len(all)-ordersPerDay):])
	if err != nil {
		return err
	}
	return m.storage.Store(ctx, ledgerKey(name), text)
}
