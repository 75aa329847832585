package listen

import (
	"strings"
	"testing"

	"rgate/internal/config"
)

func TestUnprovable(t *testing.T) {
	f := func(more, challenges, first string, want int) {
		t.Helper()
		text := "routes: [{hosts: [shop.example.com], backend: b}]\nbackends: [{name: b, match_labels: [x]}]\nlisteners:\n" + more +
			"  - {address: \":443\", tls: {acme: {challenges: [" + challenges + "]}}}\n"
		cfg, err := config.Parse("c.yml", []byte(text), nil)
		if err != nil {
			t.Fatal(err)
		}
		got := Unprovable(cfg, first)
		if len(got) != want || want > 0 && (!got[0].Warning || got[0].Line != strings.Count(text, "\n")) {
			t.Errorf("%s%s at %s: %v", more, challenges, first, got)
		}
	}
	f("", "http-01", ":8080", 1)
	f("", "http-01", "", 1)
	f("", "http-01", ":80", 0)
	f("", "http-01", "127.0.0.1:80", 0)
	f("", "http-01, tls-alpn-01", ":8080", 0)
	f("  - {address: \":80\", redirect: https}\n", "http-01", ":8080", 0)
	f("  - {address: \":81\"}\n", "http-01", ":8080", 1)
}
