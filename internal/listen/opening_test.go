package listen

import (
	"net"
	"slices"
	"strings"
	"testing"

	"rgate/internal/config"
	"rgate/internal/handover"
)

// at is a socket that says it listens somewhere.
type at struct {
	net.Listener
	addr   *net.TCPAddr
	closed *int
}

func (a at) Addr() net.Addr { return a.addr }
func (a at) Close() error   { *a.closed++; return nil }

// passed are sockets, given as "name address".
func passed(t *testing.T, closed *int, all ...string) (sockets []handover.Socket) {
	t.Helper()
	for _, s := range all {
		name, address, _ := strings.Cut(s, " ")
		addr, err := net.ResolveTCPAddr("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		sockets = append(sockets, handover.Socket{Listener: at{addr: addr, closed: closed}, Name: name})
	}
	return sockets
}

func TestWhichSocketIsWhose(t *testing.T) {
	for name, c := range map[string]struct {
		successor bool
		first     string
		listeners []string // name address
		passed    []string
		taken     []string // the addresses, the first listener's first; "" for none
		left      int
		err       string
	}{
		"an old release's only one":     {true, ":8080", []string{"a :9000"}, []string{" [::]:8080"}, []string{"[::]:8080", ""}, 0, ""},
		"by name":                       {true, "", []string{"a :9000", "b :0"}, []string{" [::]:8080", "b [::]:4711", "a [::]:9000"}, []string{"[::]:8080", "[::]:9000", "[::]:4711"}, 0, ""},
		"any port, by name":             {true, "", []string{"b :0", "c :0"}, []string{" [::]:8080", "c [::]:4712", "b [::]:4711"}, []string{"[::]:8080", "[::]:4711", "[::]:4712"}, 0, ""},
		"a new name":                    {true, "", []string{"new :9000"}, []string{" [::]:8080", "old [::]:9000"}, []string{"[::]:8080", "[::]:9000"}, 0, ""},
		"a new address":                 {true, "", []string{"a :9001"}, []string{" [::]:8080", "a [::]:9000"}, []string{"[::]:8080", ""}, 1, ""},
		"wider than before":             {true, "", []string{"a :9000"}, []string{" [::]:8080", "a 127.0.0.1:9000"}, []string{"[::]:8080", ""}, 1, ""},
		"the first stays where it is":   {true, ":1", nil, []string{" [::]:8080"}, []string{"[::]:8080"}, 0, ""},
		"the first is not one of these": {true, ":1", []string{"a :8080"}, []string{" [::]:8080"}, []string{"[::]:8080", ""}, 0, ""},

		"one":                          {false, "", nil, []string{"rgate.socket 127.0.0.1:80"}, []string{"127.0.0.1:80"}, 0, ""},
		"one that fits by its port":    {false, ":80", nil, []string{" 127.0.0.1:80"}, []string{"127.0.0.1:80"}, 0, ""},
		"one of another port":          {false, ":81", nil, []string{" 127.0.0.1:80"}, []string{""}, 1, "it listens on 127.0.0.1:80, and rgate is told to listen on :81"},
		"two for one":                  {false, "", nil, []string{" 127.0.0.1:80", "more 127.0.0.1:81"}, []string{"127.0.0.1:80"}, 1, "no listener has the address 127.0.0.1:81, or the name \"more\""},
		"each by its name":             {false, "", []string{"a :81", "b :0"}, []string{"b 127.0.0.1:82", "a 127.0.0.1:81", "web [::]:80"}, []string{"[::]:80", "127.0.0.1:81", "127.0.0.1:82"}, 0, ""},
		"each by its address":          {false, ":80", []string{"a :81", "b 127.0.0.1:82"}, []string{"u 127.0.0.1:82", "u 127.0.0.1:81", "u [::]:80"}, []string{"[::]:80", "127.0.0.1:81", "127.0.0.1:82"}, 0, ""},
		"only others, the first opens": {false, "", []string{"a :81"}, []string{"u 127.0.0.1:81"}, []string{"", "127.0.0.1:81"}, 0, ""},
		"a name that is elsewhere":     {false, "", []string{"a :81"}, []string{"a 127.0.0.1:82"}, []string{"", ""}, 1, "a listens on 127.0.0.1:82, and the configuration has that listener on :81"},
	} {
		t.Run(name, func(t *testing.T) {
			closed := 0
			p := passing{wanted: []config.Listener{{Address: c.first}}, sockets: passed(t, &closed, c.passed...), successor: c.successor}
			for _, l := range c.listeners {
				name, address, _ := strings.Cut(l, " ")
				p.wanted = append(p.wanted, config.Listener{Name: name, Address: address})
			}
			p.taken = make(Set, len(p.wanted))
			err := p.assign()
			if (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
				t.Errorf("%v instead of %q", err, c.err)
			}
			var taken []string
			for _, l := range p.taken {
				address := ""
				if l != nil {
					address = l.Addr().String()
				}
				taken = append(taken, address)
			}
			if !slices.Equal(taken, c.taken) || len(p.sockets) != c.left {
				t.Errorf("%q are taken and %d left, instead of %q and %d", taken, len(p.sockets), c.taken, c.left)
			}
			p.close()
			if closed != len(c.passed) {
				t.Errorf("%d of %d were closed", closed, len(c.passed))
			}
		})
	}
}
