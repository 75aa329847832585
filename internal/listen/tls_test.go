package listen

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"rgate/internal/cert"
	"rgate/internal/config"
	"rgate/internal/trial"
)

func TestCheck(t *testing.T) {
	pem, key := trial.Certificate(t, t.TempDir(), "a", "a.example")
	if err := os.Chmod(key, 0o644); err != nil {
		t.Fatal(err)
	}
	at := func(line int) config.Problem { return config.Problem{File: "c.yml", Line: line, Column: 1} }
	cfg := config.Default()
	cfg.Listeners = []config.Listener{
		{Address: ":1"},
		{Address: ":2", TLS: &config.ListenerTLS{Certificates: []config.Certificate{{Cert: pem, Key: key, CertPlace: at(2), KeyPlace: at(3)}}}},
	}
	_, warnings, err := Check(cfg.Listeners)
	if err != nil || len(warnings) != 1 || !strings.HasPrefix(warnings[0].String(), "c.yml:3:1: the key ") {
		t.Errorf("%v, %v", warnings, err)
	}
	bad := &config.ListenerTLS{Certificates: []config.Certificate{{Cert: key, Key: pem, CertPlace: at(4), KeyPlace: at(5)}, {Cert: pem, Key: "none", CertPlace: at(6), KeyPlace: at(7)}}}
	cfg.Listeners = append(cfg.Listeners, config.Listener{Address: ":3", TLS: bad})
	_, _, err = Check(cfg.Listeners)
	var problems *config.Problems
	if !errors.As(err, &problems) || len(problems.List) != 2 || problems.List[0].Line != 4 || problems.List[1].Line != 7 {
		t.Errorf("%v", err)
	}
}

func TestBelongs(t *testing.T) {
	dir := t.TempDir()
	said := &config.ListenerTLS{MinVersion: config.TLS13}
	for name, hosts := range map[string][]string{"a": {"a.example", "b.example"}, "c": {"c.example", "::1"}} {
		pem, key := trial.Certificate(t, dir, name, hosts...)
		said.Certificates = append(said.Certificates, config.Certificate{Cert: pem, Key: key})
	}
	s, _, err := OpenTLS(said, Supply{})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		asked, host string
		want        bool
	}{
		{"a.example", "a.example", true}, {"a.example", "B.example.:443", true}, {"a.example", "c.example", false},
		{"::1", "[::1]:8443", true}, {"::1", "[::1]", true}, {"a.example", "", true}, {"a.example", "nobody", false},
		{"a.example", "A.example:8443", true}, {"a.example", "a.example.c.example", false}, {"a.example", "c.example:443", false},
	} {
		if got := s.belongs(test.asked, []byte(test.host)); got != test.want {
			t.Errorf("a request for %q on a connection for %q: %v", test.host, test.asked, got)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	told := make(chan bool, 1)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.Watch(ctx, time.Millisecond, func(_ cert.Pair, served bool, _ []*cert.Problem) { told <- served })
	}()
	trial.Certificate(t, dir, "a", "d.example")
	<-told
	cancel()
	<-ended
}
