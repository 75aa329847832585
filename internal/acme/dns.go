package acme

import (
	"log/slog"
	"time"

	"github.com/caddyserver/certmagic"
	"github.com/mholt/acmez/v3"

	"rgate/internal/config"
)

// recordTTL is for the records that an authority looks at.
const recordTTL = time.Minute

// newDNS answers dns-01 (RFC 8555 §8.4).
func newDNS(said *config.DNS, log *slog.Logger) (acmez.Solver, error) {
	if len(said.Command) > 0 {
		return &inTurn{Solver: command(said.Command)}, nil
	}
	provider, err := newProvider(said)
	if err != nil {
		return nil, err
	}
	patience := said.Propagation
	if patience == 0 {
		patience = -1 // does not look
	}
	return &inTurn{Solver: &certmagic.DNS01Solver{DNSManager: certmagic.DNSManager{
		DNSProvider: provider, TTL: recordTTL, PropagationTimeout: patience, Resolvers: said.Resolvers, Logger: zapLogger(log),
	}}}, nil
}

func newProvider(said *config.DNS) (certmagic.DNSProvider, error) {
	if said.RFC2136.Server != "" {
		return newUpdater(&said.RFC2136), nil
	}
	return newStockProvider(said.Provider)
}
