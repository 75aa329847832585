package acme

import (
	"testing"

	"rgate/internal/config"
)

// Each provider that a file can name is there.
func TestProviders(t *testing.T) {
	for _, name := range config.Providers {
		if p, err := newStockProvider(config.Provider{Name: name, Token: "t"}); p == nil || err != nil {
			t.Errorf("%s: %v, %v", name, p, err)
		}
	}
	if _, err := newStockProvider(config.Provider{Name: "nobody"}); err == nil {
		t.Error("nobody is a provider")
	}
}
