package acme

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/caddyserver/certmagic"

	"rgate/internal/cert"
	"rgate/internal/config"
)

// Names are those of the hosts of routes that certificates can be got for by
// said, and why not for the others. A name that a wildcard among them has needs
// none of its own.
func Names(hosts []string, said *config.ACME) (names []string, without map[string]string) {
	without = map[string]string{}
	wild := map[string]bool{}
	for _, host := range hosts {
		if strings.HasPrefix(host, "*.") && said.Has(config.ChallengeDNS) {
			wild[host] = true
		}
	}
	for _, host := range hosts {
		name := cert.Normal(strings.Trim(host, "[]"))
		_, domain, _ := strings.Cut(name, ".")
		switch why := unfit(name, said); {
		case why != "":
			without[host] = why
		case wild[name] || !wild["*."+domain]:
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names), without
}

// unfit is why no certificate can be got for a name; "" where one can.
func unfit(name string, said *config.ACME) string {
	_, err := netip.ParseAddr(name)
	address := err == nil
	switch {
	case strings.HasPrefix(name, "*.") && !said.Has(config.ChallengeDNS):
		return "a wildcard can be had by the challenge dns-01 alone"
	case address && !said.Has(config.ChallengeHTTP) && !said.Has(config.ChallengeTLSALPN):
		return "an address can be shown by the challenges http-01 and tls-alpn-01 alone"
	case address && public(said) && said.Profile == "":
		return "for an address the authority wants `profile: shortlived`"
	case public(said) && !certmagic.SubjectQualifiesForPublicCert(name), !certmagic.SubjectQualifiesForCert(name), strings.Contains(name, "_"):
		return "it is no name of the public DNS"
	}
	return ""
}

// public tells whether certificates are got from the authority that everybody
// trusts, and not from one of the operator's own.
func public(said *config.ACME) bool { return slices.Contains(said.Directory, config.LetsEncrypt) }
