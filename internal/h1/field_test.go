package h1

import (
	"strings"
	"testing"
)

// Every known name is found whatever its case, so no two share a hash, and
// nothing like it is.
func TestLookupField(t *testing.T) {
	for id := FieldHost; id < fieldCount; id++ {
		name := id.String()
		switch id {
		case FieldXForwardedOther:
			name = "x-forwarded-port"
		case FieldClientCert:
			name = "x-client-cert-san"
		case FieldTwin:
			name = "x_real-ip"
		}
		for _, s := range []string{name, strings.ToUpper(name), strings.ToUpper(name[:1]) + name[1:]} {
			if got := lookupField([]byte(s)); got != id {
				t.Errorf("%s: got %d, want %d", s, got, id)
			}
		}
		for i := range name {
			for _, c := range "x^_~-0" {
				s := name[:i] + string(c) + name[i+1:]
				if got := lookupField([]byte(s)); s != name && got == id && id != FieldXForwardedOther && id != FieldClientCert && id != FieldTwin {
					t.Errorf("%s is taken for %s", s, name)
				}
			}
		}
	}
	for _, s := range []string{"x", "x-forwarded-", "x-forwarded", "y-forwarded-for", "hos", "hostt", "~ost"} {
		if got := lookupField([]byte(s)); got != FieldOther {
			t.Errorf("%s: got %s", s, got)
		}
	}
}

// Whatever begins like a field on a client's certificate is one.
func TestFieldsOnCertificates(t *testing.T) {
	for _, s := range []string{"Client-Cert", "client-cert-chain", "CLIENT-CERT-X", "X-Client-Cert", "x-CLIENT-cert-Subject", "X-Client-Cert-Fingerprint"} {
		if got := lookupField([]byte(s)); got != FieldClientCert {
			t.Errorf("%s: %d", s, got)
		}
	}
	for _, s := range []string{"client-certificate", "client-cer", "x-client", "xclient-cert", "x-x-client-cert", "x-", "c"} {
		if got := lookupField([]byte(s)); got != FieldOther {
			t.Errorf("%s: %d", s, got)
		}
	}
}

// What reads underscores as hyphens must not take a stranger's word for a
// gateway's; other names with underscores are nobody's business.
func TestTwinsAreKnown(t *testing.T) {
	for _, s := range []string{
		"Content_Length", "transfer_encoding", "Keep_Alive", "Proxy_Authorization", "X_Forwarded_For",
		"X-Forwarded_For", "X_Forwarded-Host", "x_forwarded_anything", "X_Real_IP", "X-Real_Ip", "X_Request-Id",
		"Client_Cert", "client-cert_chain", "X_Client_Cert_Fingerprint", "X-Client-Cert_Subject", "X_Client-Cert",
		"X_Forwarded_" + strings.Repeat("a_", 100),
	} {
		if got := lookupField([]byte(s)); got != FieldTwin {
			t.Errorf("%s: %d", s, got)
		}
	}
	for _, s := range []string{"_", "user_agent", "content_type", "x_forwarded", "x_forwarded_", "my_id", "Content_Length_", strings.Repeat("_", 300)} {
		if got := lookupField([]byte(s)); got != FieldOther {
			t.Errorf("%s: %d", s, got)
		}
	}
}

func TestEndOfText(t *testing.T) {
	for c := range 256 {
		for at := range 20 {
			b := []byte(strings.Repeat("\xffa\t", 10))
			b[at] = byte(c)
			want := len(b)
			if c < 0x20 && c != '\t' || c == 0x7f {
				want = at
			}
			if got := endOfText(b, 0); got != want {
				t.Fatalf("byte %#x at %d: got %d, want %d", c, at, got, want)
			}
		}
	}
}
