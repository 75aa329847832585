package acme

import (
	"fmt"

	"github.com/caddyserver/certmagic"

	"rgate/internal/config"
)

// newStockProvider is a provider whose interface is built in.
func newStockProvider(said config.Provider) (certmagic.DNSProvider, error) {
	return nil, fmt.Errorf("rgate does not know the provider %s", said.Name)
}
