package acme

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"

	"github.com/caddyserver/certmagic"
	"github.com/mholt/acmez/v3/acme"
)

// account is ours at the authority: the one in the storage, else a new one.
func (a *authority) account(ctx context.Context, client *acme.Client) (acme.Account, error) {
	if known, err := a.loadAccount(ctx); !errors.Is(err, fs.ErrNotExist) {
		return known, err
	}
	lock := "account_" + a.accountKey("")
	if err := a.storage.Lock(ctx, lock); err != nil {
		return acme.Account{}, fmt.Errorf("cannot lock the storage: %w", err)
	}
	defer func() { _ = a.storage.Unlock(context.WithoutCancel(ctx), lock) }()
	if known, err := a.loadAccount(ctx); !errors.Is(err, fs.ErrNotExist) {
		return known, err // somebody else made it meanwhile
	}
	return a.register(ctx, client)
}

// accountKey is where a file of the account is in the storage. One that is bound
// to another external account is another.
func (a *authority) accountKey(file string) string {
	who := "default"
	if a.said.Email != "" {
		who = a.said.Email
	}
	if id := a.said.EAB.KeyID; id != "" {
		who += "_" + id
	}
	return path.Join("acme", a.IssuerKey(), "users", certmagic.StorageKeys.Safe(who), file)
}

func (a *authority) loadAccount(ctx context.Context) (known acme.Account, err error) {
	text, err := a.storage.Load(ctx, a.accountKey("account.json"))
	if err != nil {
		return known, err
	}
	key, err := a.storage.Load(ctx, a.accountKey("account.key"))
	if err != nil {
		return known, err
	}
	if err = json.Unmarshal(text, &known); err == nil {
		var private crypto.PrivateKey
		private, err = certmagic.PEMDecodePrivateKey(key)
		known.PrivateKey, _ = private.(crypto.Signer)
	}
	if err != nil || known.PrivateKey == nil {
		return known, fmt.Errorf("cannot read the account in %s: %w", a.storage.Filename(a.accountKey("")), err)
	}
	return known, nil
}

// register makes an account. To use an authority is to agree to its terms, as
// docs/certificates.md says.
func (a *authority) register(ctx context.Context, client *acme.Client) (acme.Account, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return acme.Account{}, err
	}
	fresh := acme.Account{TermsOfServiceAgreed: true, PrivateKey: private}
	if a.said.Email != "" {
		fresh.Contact = []string{"mailto:" + a.said.Email}
	}
	directory, err := client.GetDirectory(ctx)
	if err != nil {
		return fresh, err
	}
	if a.bound(directory) {
		eab := acme.EAB{KeyID: a.said.EAB.KeyID, MACKey: a.said.EAB.MACKey}
		if err := fresh.SetExternalAccountBinding(ctx, client, eab); err != nil {
			return fresh, fmt.Errorf("cannot bind the account (`eab`): %w", err)
		}
	}
	if fresh, err = client.NewAccount(ctx, fresh); err != nil {
		return fresh, fmt.Errorf("cannot get an account: %w", err)
	}
	return fresh, a.saveAccount(ctx, fresh)
}

// bound tells whether accounts are bound to an external one: where the authority
// wants that, or there is no other that could.
func (a *authority) bound(directory acme.Directory) bool {
	wanted := directory.Meta != nil && directory.Meta.ExternalAccountRequired
	return a.said.EAB.KeyID != "" && (wanted || len(a.said.Directory) == 1)
}

func (a *authority) saveAccount(ctx context.Context, known acme.Account) error {
	key, err := certmagic.PEMEncodePrivateKey(known.PrivateKey)
	if err != nil {
		return err
	}
	text, err := json.Marshal(known)
	if err != nil {
		return err
	}
	if err := a.storage.Store(ctx, a.accountKey("account.key"), key); err != nil {
		return fmt.Errorf("cannot keep the account: %w", err)
	}
	if err := a.storage.Store(ctx, a.accountKey("account.json"), text); err != nil {
		return fmt.Errorf("cannot keep the account: %w", err)
	}
	return nil
}

// forget is for an account that the authority does not know any more.
func (a *authority) forget(ctx context.Context) error {
	return a.storage.Delete(ctx, a.accountKey(""))
}
