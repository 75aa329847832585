package cli

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// The hash that is printed is what the configuration takes for the key.
func TestKeyNew(t *testing.T) {
	var made struct{ Key, Hash string }
	if a := rgate(t, "key", "new", "--json"); json.Unmarshal([]byte(a.stdout), &made) != nil || a.code != 0 {
		t.Fatalf("%+v", a)
	}
	sum := sha256.Sum256([]byte(made.Key))
	if len(made.Key) < 40 || made.Hash != "sha256:"+hex.EncodeToString(sum[:]) {
		t.Errorf("%+v", made)
	}
	path := file(t, fmt.Sprintf(`consumers: [{name: shop, keys: [%q]}]
routes: [{path_prefix: /, backend: one, api_key: {consumers: [shop]}}]
backends: [{name: one, endpoints: ["127.0.0.1:9"]}]
`, made.Hash))
	const told = "policy   api_key: header X-Api-Key, shop"
	rgate(t, "explain", "-c", path, "--client", "192.0.2.7", "/").want(t, 0, told, "outcome  401 (unauthenticated) for a client at 192.0.2.7")
	rgate(t, "explain", "-c", path, "--client", "192.0.2.7", "-H", "X-Api-Key: "+made.Key, "/").want(t, 0, told, "outcome  goes to 127.0.0.1:9\n")
	a, b := rgate(t, "key", "new"), rgate(t, "key", "new")
	if a.stdout == b.stdout || !strings.HasPrefix(a.stdout, "key   rgk_") || !strings.Contains(a.stdout, "\nhash  sha256:") {
		t.Errorf("%q, %q", a.stdout, b.stdout)
	}
	rgate(t, "key").want(t, 0, "rgate key new")
	rgate(t, "key", "nwe").want(t, 2, `no command "nwe"`, "rgate key new")
	rgate(t, "key", "new", "shop").want(t, 2, "takes no arguments")
}
