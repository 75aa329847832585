package h1

import (
	"net/netip"
	"testing"
)

func TestAuthority(t *testing.T) {
	for in, want := range map[string]bool{
		"a": true, "a.b-c_d~": true, "1.2.3.4": true, "a:0": true, "a:65535": true, "a:00080": true,
		"": false, ":1": false, "a:": false, "a:65536": false, "a:-1": false, "a:1:2": false, "a:9999999999999999999999": false,
		"[::1]": true, "[::1]:1": true, "[::1": false, "::1": false, "[]": false, "[::1]x": false, "[::1]:": false,
		"[fe80::1%25eth0]": false, "[v1.a]": false, "a%41": false, "a;b": false, "\xe4": false, "a[::1]": false,
	} {
		if got := validAuthority([]byte(in), false); got != want {
			t.Errorf("%q: got %v", in, got)
		}
	}
	if validAuthority([]byte("a"), true) || !validAuthority([]byte("a:1"), true) {
		t.Error("needPort is not heeded")
	}
}

var ipv6Seeds = []string{
	"::", "::1", "1::", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8", "1::8", "::ffff:1.2.3.4", "1:2:3:4:5:6:1.2.3.4",
	"1:2:3:4:5:6:7:1.2.3.4", ":::", "1:2", "1::2::3", "1:2:3:4:5:6:7:8:9", "12345::", "::01.2.3.4", "::1.2.3", "::1.2.3.4.5", "::256.1.1.1",
	":1", "1:", "::1:", "1:2:3:4::5:6:7:8", "::.1.2.3", "::1..2.3", "g::", "1.2.3.4", "::1.2.3.4:5", "::00.1.1.1", "::1.2.3.",
}

func TestIPv6(t *testing.T) {
	for _, s := range ipv6Seeds {
		compareIPv6(t, s)
	}
}

func FuzzIPv6(f *testing.F) {
	for _, s := range ipv6Seeds {
		f.Add(s)
	}
	f.Fuzz(compareIPv6)
}

func compareIPv6(t *testing.T, s string) {
	a, err := netip.ParseAddr(s)
	if want := err == nil && a.Is6() && a.Zone() == ""; validIPv6([]byte(s)) != want {
		t.Errorf("%q: netip says %v", s, want)
	}
}
