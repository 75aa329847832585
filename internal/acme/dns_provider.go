package acme

import (
	"fmt"

	"github.com/caddyserver/certmagic"
	"github.com/libdns/cloudflare"
	"github.com/libdns/desec"
	"github.com/libdns/digitalocean"
	"github.com/libdns/duckdns"
	"github.com/libdns/gandi"

	"rgate/internal/config"
)

// newStockProvider is a provider whose interface is built in. config.Providers
// lists them.
func newStockProvider(said config.Provider) (certmagic.DNSProvider, error) {
	switch said.Name {
	case "cloudflare":
		return &cloudflare.Provider{APIToken: said.Token}, nil
	case "desec":
		return &desec.Provider{Token: said.Token}, nil
	case "digitalocean":
		return &digitalocean.Provider{APIToken: said.Token}, nil
	case "duckdns":
		return &duckdns.Provider{APIToken: said.Token}, nil
	case "gandi":
		return &gandi.Provider{BearerToken: said.Token}, nil
	}
	return nil, fmt.Errorf("rgate does not know the provider %s", said.Name)
}
