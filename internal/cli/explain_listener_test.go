package cli

import (
	"encoding/json"
	"path/filepath"
	"testing"

	"rgate/internal/trial"
)

const doors = `
listen: "127.0.0.1:8080"
listeners:
  - {address: ":80", redirect: https}
  - {address: ":443", name: front, tls: {certificates: [{cert: a.pem, key: a.key}, {cert: b.pem, key: b.key}]}}
  - {address: ":8443", tls: internal}
  - {address: ":9443", tls: {certificates: [{cert: a.pem, key: a.key, default: true}]}}
routes: [{path_prefix: /, backend: b}]
backends: [{name: b, endpoints: ["127.0.0.1:1"]}]
`

// Of a URL it is said how it comes in, and what becomes of it there.
func TestExplainListeners(t *testing.T) {
	path := file(t, doors)
	trial.Certificate(t, filepath.Dir(path), "a", "a.example", "aa.example", "*.wild.example")
	trial.Certificate(t, filepath.Dir(path), "b", "b.example")
	const goes, refused = "goes to 127.0.0.1:1", "the handshake fails (unrecognized_name): there is no certificate for "
	a, internal := filepath.Dir(path)+"/a.pem (a.example, aa.example, *.wild.example)", "one of rgate's own authority, for this name"
	const front = "front at :443 (line 5)"
	for _, test := range []struct{ url, host, listener, certificate, outcome string }{
		{"https://a.example/x", "", front, a, goes},
		{"https://A.example/x", "", front, a, goes},
		{"https://x.wild.example/", "", front, a, goes},
		{"https://c.example/", "", front, "none", refused + "c.example"},
		{"https://a.example/", "aa.example", front, a, goes},
		{"https://a.example/", "b.example", front, a, "421: b.example has another certificate than a.example, for which the connection was made"},
		{"https://localhost:8443/", "", ":8443 (line 6)", internal, goes},
		{"https://localhost:8443/", "x.internal", ":8443 (line 6)", internal, "421: x.internal has another certificate than localhost, for which the connection was made"},
		{"https://c.example:8443/", "", ":8443 (line 6)", "none", refused + "c.example"},
		{"https://c.example:9443/", "", ":9443 (line 7)", a + ", which is served by default", goes},
		{"https://c.example:9443/", "d.example", ":9443 (line 7)", a + ", which is served by default", goes},
		{"http://a.example/x?y", "", ":80 (line 4)", "", "308 to https://a.example/x?y: the listener redirects to HTTPS, before any route"},
		{"http://localhost/", "", ":80 (line 4)", "", "308 to https://localhost:8443/: the listener redirects to HTTPS, before any route"},
		{"http://c.example/", "", ":80 (line 4)", "", goes},
		{"http://a.example:8080/", "", "127.0.0.1:8080 (the first, where --port does not say otherwise)", "", goes},
		{"https://a.example:8080/", "", "127.0.0.1:8080 (the first, where --port does not say otherwise)", "", "the handshake fails: this listener speaks plain HTTP"},
		{"http://a.example:443/", "", front, "", "400: this listener speaks TLS alone"},
		{"https://a.example:10443/", "", "none is on port 10443: behind a port that is published, it is " + front, a, goes},
	} {
		out := rgate(t, "explain", "--json", "-c", path, "--host", test.host, test.url)
		var got struct{ Listener, Certificate, Outcome string }
		if err := json.Unmarshal([]byte(out.stdout), &got); err != nil {
			t.Fatal(err, out)
		}
		if got.Listener != test.listener || got.Certificate != test.certificate || got.Outcome != test.outcome {
			t.Errorf("%s %s: %+v", test.url, test.host, got)
		}
	}
	rgate(t, "explain", "-c", path, "https://a.example/x").want(t, 0, "listener "+front, "certificate "+a, goes)
	rgate(t, "explain", "-c", path, "ftp://a.example/x").want(t, 2, "is no URL of HTTP")
	auto := file(t, "listeners: [{address: ':443', tls: auto}]\nroutes: [{hosts: [a.example.com, '*.b.example.com'], backend: b}]\nbackends: [{name: b, endpoints: ['127.0.0.1:1']}]\n")
	rgate(t, "explain", "-c", auto, "https://a.example.com/").want(t, 0, "one that is got by ACME", goes)
	rgate(t, "explain", "-c", auto, "https://x.b.example.com/").want(t, 0, refused+"x.b.example.com")
	rgate(t, "explain", "-c", auto, "https://c.example.com/").want(t, 0, refused+"c.example.com")
	rgate(t, "explain", "-c", auto, "http://a.example.com/").want(t, 0, "308 to https://a.example.com/")
	rgate(t, "check", "-c", auto).want(t, 0, "has no certificate for `*.b.example.com`", "a wildcard can be had by the challenge dns-01 alone", "is fine")
	if out := rgate(t, "explain", "--json", "-c", path, "/x"); out.code != 0 || json.Unmarshal([]byte(out.stdout), &map[string]any{}) != nil {
		t.Error(out)
	}
	plain := file(t, static("auto", "127.0.0.1:1"))
	rgate(t, "explain", "-c", plain, "https://a.example/").want(t, 0, "none is on port 443, and none has `tls`", "nobody takes it: no listener speaks TLS")
}
