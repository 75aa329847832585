//go:build pebble

package acme

import (
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/miekg/dns"
)

// A wildcard is got by a command that sets records, and serves the hosts below.
func TestAWildcardByACommand(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := newCA(t, nil)
	r := c.run(configured(`, dns: {command: ["`+self+`", set-txt, "{names}"]}`, "*.example.com", "a.example.com", "example.com"))
	roots := c.roots()
	wild := r.served("a.example.com", roots, nil)
	if !slices.Equal(wild.DNSNames, []string{"*.example.com"}) {
		t.Errorf("%q", wild.DNSNames)
	}
	r.served("b.example.com", roots, nil)
	if apex := r.served("example.com", roots, nil); !slices.Equal(apex.DNSNames, []string{"example.com"}) {
		t.Errorf("%q", apex.DNSNames)
	}
}

// zone is a name server for example.com that takes signed updates.
type zone struct {
	t  *testing.T
	mu sync.Mutex
	rr []dns.RR
}

const zoneKey = "c2VjcmV0IG9mIHRoZSB0ZXN0cyBhbmQgbm9ib2R5IGVsc2U="

func serveZone(t *testing.T) string {
	t.Helper()
	z := &zone{t: t}
	address := net.JoinHostPort("127.0.0.1", "0")
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	p, err := net.ListenPacket("udp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []*dns.Server{{Listener: l}, {PacketConn: p}} {
		s.Handler, s.TsigSecret = z, map[string]string{"rgate.": zoneKey}
		s.MsgAcceptFunc = func(dns.Header) dns.MsgAcceptAction { return dns.MsgAccept }
		ended := make(chan struct{})
		go func() { defer close(ended); _ = s.ActivateAndServe() }()
		t.Cleanup(func() { _ = s.Shutdown(); <-ended })
	}
	return l.Addr().String()
}

// ServeDNS implements dns.Handler.
func (z *zone) ServeDNS(w dns.ResponseWriter, m *dns.Msg) {
	answer := new(dns.Msg).SetReply(m)
	answer.Authoritative = true
	z.mu.Lock()
	if m.Opcode == dns.OpcodeUpdate {
		z.update(w, m, answer)
	} else {
		z.answer(m.Question[0], answer)
	}
	z.mu.Unlock()
	_ = w.WriteMsg(answer)
}

func (z *zone) update(w dns.ResponseWriter, m, answer *dns.Msg) {
	if m.IsTsig() == nil || w.TsigStatus() != nil || m.Question[0].Name != "example.com." {
		answer.Rcode = dns.RcodeNotAuth
		return
	}
	for _, rr := range m.Ns {
		same := func(have dns.RR) bool { return have.Header().Name == rr.Header().Name }
		if rr.Header().Class == dns.ClassNONE {
			z.rr = slices.DeleteFunc(z.rr, same)
		} else {
			z.rr = append(z.rr, rr)
		}
	}
	answer.SetTsig("rgate.", dns.HmacSHA256, 300, int64(m.IsTsig().TimeSigned))
}

func (z *zone) answer(q dns.Question, answer *dns.Msg) {
	soa, _ := dns.NewRR("example.com. 60 IN SOA ns.example.com. ops.example.com. 1 60 60 60 60")
	for _, rr := range z.rr {
		if rr.Header().Rrtype == q.Qtype && strings.EqualFold(rr.Header().Name, q.Name) {
			answer.Answer = append(answer.Answer, rr)
		}
	}
	switch {
	case q.Name == "example.com." && q.Qtype == dns.TypeSOA:
		answer.Answer = append(answer.Answer, soa)
	case q.Qtype == dns.TypeA:
		a, _ := dns.NewRR(q.Name + " 60 IN A 127.0.0.1")
		answer.Answer = append(answer.Answer, a)
	case len(answer.Answer) == 0:
		answer.Ns = append(answer.Ns, soa)
	}
}

// Records are set by signed updates of RFC 2136.
func TestRecordsByUpdates(t *testing.T) {
	server := serveZone(t)
	c := newCA(t, nil)
	_ = c.pebble.cmd.Process.Kill()
	<-c.pebble.done
	c.dns = server
	c.begin()
	r := c.run(configured(`, dns: {rfc2136: {server: "`+server+`", key_name: rgate, key: "`+zoneKey+`"}, resolvers: ["`+server+`"], propagation: 0s}`, "*.example.com"))
	r.served("a.example.com", c.roots(), nil)
}
