package acme

import (
	"context"
	"fmt"
	"time"

	"github.com/libdns/libdns"
	"github.com/miekg/dns"

	"rgate/internal/config"
)

// updater sets records by dynamic updates (RFC 2136), signed by TSIG (RFC 8945)
// where there is a key. It implements certmagic.DNSProvider.
type updater struct {
	said   *config.RFC2136
	client *dns.Client
}

// updateTime is how long a server may take to answer.
const updateTime = 10 * time.Second

func newUpdater(said *config.RFC2136) *updater {
	u := &updater{said, &dns.Client{Net: "tcp", Timeout: updateTime}}
	if said.KeyName != "" {
		u.client.TsigSecret = map[string]string{dns.Fqdn(said.KeyName): said.Key}
	}
	return u
}

// AppendRecords implements libdns.RecordAppender.
func (u *updater) AppendRecords(ctx context.Context, zone string, records []libdns.Record) ([]libdns.Record, error) {
	return records, u.update(ctx, zone, records, (*dns.Msg).Insert)
}

// DeleteRecords implements libdns.RecordDeleter.
func (u *updater) DeleteRecords(ctx context.Context, zone string, records []libdns.Record) ([]libdns.Record, error) {
	return records, u.update(ctx, zone, records, (*dns.Msg).Remove)
}

func (u *updater) update(ctx context.Context, zone string, records []libdns.Record, change func(*dns.Msg, []dns.RR)) error {
	var all []dns.RR
	for _, r := range records {
		rr := r.RR()
		header := dns.RR_Header{Name: dns.Fqdn(libdns.AbsoluteName(rr.Name, zone)), Rrtype: dns.TypeTXT, Class: dns.ClassINET, Ttl: uint32(rr.TTL / time.Second)}
		all = append(all, &dns.TXT{Hdr: header, Txt: []string{rr.Data}})
	}
	m := new(dns.Msg).SetUpdate(dns.Fqdn(zone))
	change(m, all)
	if u.said.KeyName != "" {
		m.SetTsig(dns.Fqdn(u.said.KeyName), dns.Fqdn(u.said.KeyAlgorithm), 300, time.Now().Unix())
	}
	answer, _, err := u.client.ExchangeContext(ctx, m, u.said.Server)
	if err != nil {
		return fmt.Errorf("cannot update the zone %s at %s: %w", zone, u.said.Server, err)
	}
	if answer.Rcode != dns.RcodeSuccess {
		return fmt.Errorf("%s does not take an update of the zone %s: %s", u.said.Server, zone, dns.RcodeToString[answer.Rcode])
	}
	return nil
}
