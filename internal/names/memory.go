package names

import (
	"errors"
	"net"
	"net/netip"
	"slices"
	"time"
)

// question is what the resolver is asked. The families are asked for apart:
// one that is not answered does not take the other along.
type question struct {
	host    string
	network string // ip4 or ip6
}

// families are the networks of the questions on one name.
var families = [...]string{"ip4", "ip6"}

// answer is what came of a question.
type answer struct {
	question
	addrs []netip.Addr
	err   error
}

// memory is what is known of a question.
type memory struct {
	addrs  []netip.Addr // of the last answer that had any, sorted
	fault  string       // why the last look-up failed; "" where it did not
	absent int          // answers in a row that there is no address
	failed int          // failures in a row
	asking bool
	asked  bool // it was answered, or failed, once
	due    time.Time
}

// take takes in an answer. A resolver that is away, or at fault, says nothing
// of the name: its last addresses are kept. One that says that there are none
// is believed once it says so again, as names vanish for a moment where what
// they name is replaced.
func (m *memory) take(a answer, now time.Time, t timing) {
	m.asking, m.asked = false, true
	switch {
	case a.err == nil && len(a.addrs) > 0:
		m.addrs, m.fault, m.absent, m.failed = sorted(a.addrs), "", 0, 0
		m.due = now.Add(spread(t.again))
	case a.err == nil || none(a.err):
		m.absent++
		m.fault, m.failed = "", 0
		if m.absent >= t.absences {
			m.addrs = nil
		}
		m.due = now.Add(t.after(m.absent, false))
	default:
		m.failed++
		m.fault = fault(a.err)
		m.due = now.Add(t.after(m.failed, len(m.addrs) > 0))
	}
}

// none tells whether err says that there is no address, which is an answer.
func none(err error) bool {
	var dns *net.DNSError
	var other *net.AddrError // there are addresses, and none of this family
	return errors.As(err, &dns) && dns.IsNotFound || errors.As(err, &other)
}

// fault is err without the name and the server, which are said elsewhere.
func fault(err error) string {
	var dns *net.DNSError
	if errors.As(err, &dns) {
		return dns.Err
	}
	return err.Error()
}

func sorted(addrs []netip.Addr) []netip.Addr {
	addrs = slices.Clone(addrs)
	for i := range addrs {
		addrs[i] = addrs[i].Unmap()
	}
	slices.SortFunc(addrs, netip.Addr.Compare)
	return slices.Compact(addrs)
}

// had is what the answer to q was before this process began.
func (s *Source) had(q question) (addrs []netip.Addr) {
	for _, a := range s.before {
		if a.Host == q.host && a.IP.Is4() == (q.network == "ip4") {
			addrs = append(addrs, a.IP)
		}
	}
	return sorted(addrs)
}
