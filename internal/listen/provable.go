package listen

import "rgate/internal/config"

// Unprovable warns of listeners whose certificates an authority gives to who
// answers on port 80 (RFC 8555 §8.3), where nothing of rgate's does: first is the
// address of the first listener, "" where it is not known.
func Unprovable(cfg *config.Config, first string) (warnings []config.Problem) {
	if onPort80(first) {
		return nil
	}
	for _, l := range cfg.Listeners {
		if l.TLS == nil && onPort80(l.Address) {
			return nil
		}
	}
	for _, l := range cfg.Listeners {
		if l.TLS == nil || l.TLS.ACME == nil || !l.TLS.ACME.Has(config.ChallengeHTTP) || l.TLS.ACME.Has(config.ChallengeTLSALPN) || l.TLS.ACME.Has(config.ChallengeDNS) {
			continue // another challenge will do
		}
		p := l.TLS.ACME.Place
		p.Warning = true
		p.Message = "the authority asks on port 80 for http-01, the only challenge here, and no listener is there"
		p.Hint = "add `- {address: \":80\", redirect: https}` to `listeners`, or start with --port 80"
		warnings = append(warnings, p)
	}
	return warnings
}

func onPort80(address string) bool { return config.Overlap(address, ":80") }
