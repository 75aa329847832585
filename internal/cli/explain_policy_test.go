package cli

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

func TestExplainToldOfPolicies(t *testing.T) {
	path := file(t, `routes:
  - {path_prefix: /, backend: one}
  - {path_prefix: /admin, backend: one, ip: {allow: [10.0.0.0/8], deny: [10.6.6.6]}}
backends: [{name: one, endpoints: ["127.0.0.1:9"]}]
`)
	const told = "policy   ip: allow 10.0.0.0/8; deny 10.6.6.6"
	rgate(t, "explain", "-c", path, "/admin").want(t, 0, told, "goes to 127.0.0.1:9, for a client that its policies let pass")
	rgate(t, "explain", "-c", path, "--client", "10.1.1.1", "/admin").want(t, 0, told, "goes to 127.0.0.1:9\n")
	const refused = "outcome  403 (client_denied) for a client at "
	rgate(t, "explain", "-c", path, "--client", "10.6.6.6", "/admin").want(t, 0, told, refused+"10.6.6.6: ip: allow")
	rgate(t, "explain", "-c", path, "--client", "2001:db8::1", "/admin").want(t, 0, refused+"2001:db8::1")
	if a := rgate(t, "explain", "-c", path, "--client", "192.0.2.1", "/x"); strings.Contains(a.stdout, "policy") || !strings.Contains(a.stdout, "goes to") {
		t.Errorf("a route without policies: %s", a.stdout)
	}
	rgate(t, "explain", "-c", path, "--client", "office", "/admin").want(t, 2, `"office" is no address of a client`)
	a := rgate(t, "explain", "--json", "-c", path, "/admin")
	var e explanation
	if err := json.Unmarshal([]byte(a.stdout), &e); err != nil || !slices.Equal(e.Policies, []string{"ip: allow 10.0.0.0/8; deny 10.6.6.6"}) {
		t.Errorf("%v: %s", err, a.stdout)
	}
}

// What policies change is shown, and a route that answers by itself says how.
func TestExplainToldOfChanges(t *testing.T) {
	path := file(t, `routes:
  - {path_prefix: /api, backend: one, strip_prefix: /api, secure_headers: true}
  - {path_prefix: /old, redirect: {to: "/new{path}"}}
  - {path_prefix: /gone, respond: {status: 410}, ip: {deny: [192.0.2.7]}}
backends: [{name: one, endpoints: ["127.0.0.1:9"]}]
`)
	rgate(t, "explain", "-c", path, "/api/x").want(t, 0, "asks for /x", "policy   strip_prefix: /api", "policy   secure_headers", "goes to 127.0.0.1:9\n")
	rgate(t, "explain", "-c", path, "/old").want(t, 0, "outcome  rgate answers: redirect: 308 /new{path}\n")
	rgate(t, "routes", "-c", path).want(t, 0, "/old   literal  -\n")
	rgate(t, "explain", "-c", path, "/gone").want(t, 0, "outcome  rgate answers: respond: 410, for a client that its policies let pass")
	rgate(t, "explain", "-c", path, "--client", "192.0.2.8", "/gone").want(t, 0, "outcome  rgate answers: respond: 410\n")
	rgate(t, "explain", "-c", path, "--client", "192.0.2.7", "/gone").want(t, 0, "outcome  403 (client_denied)")
}
