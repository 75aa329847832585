package enginetest

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"
)

// NetworkOptions says what network to make.
type NetworkOptions struct {
	Name     string // "" for a unique one
	IPv6     bool   // with an IPv6 subnet beside the IPv4 one
	Internal bool   // no way out
}

// Network makes a bridge network and answers its name. It goes with the test.
func (e *Engine) Network(t T, o NetworkOptions) string {
	t.Helper()
	if o.Name == "" {
		o.Name = "rgate-test-" + Unique()
	}
	options := client.NetworkCreateOptions{Driver: "bridge", Internal: o.Internal, Labels: map[string]string{Label: o.Name}}
	if o.IPv6 {
		on := true
		options.EnableIPv6 = &on
	}
	var err error
	for range 20 { // other tests may have taken the subnet
		options.IPAM = &network.IPAM{Config: subnets(o.IPv6)}
		if _, err = e.Client.NetworkCreate(t.Context(), o.Name, options); err == nil || !strings.Contains(err.Error(), "overlap") {
			break
		}
	}
	if err != nil {
		t.Fatalf("cannot create network %s: %v", o.Name, err)
	}
	t.Cleanup(func() {
		ctx, cancel := cleaning()
		defer cancel()
		_, err := e.Client.NetworkRemove(ctx, o.Name, client.NetworkRemoveOptions{})
		if err != nil && !isNotFound(err) {
			t.Logf("cannot remove network %s: %v", o.Name, err)
		}
	})
	return o.Name
}

// subnets are taken at random from ranges that engines do not take by
// themselves, so that private engines and the machine's do not collide.
func subnets(v6 bool) []network.IPAMConfig {
	a, b := rand.IntN(100)+100, rand.IntN(256)
	configs := []network.IPAMConfig{{Subnet: netip.MustParsePrefix(fmt.Sprintf("10.%d.%d.0/24", a, b))}}
	if v6 {
		configs = append(configs, network.IPAMConfig{Subnet: netip.MustParsePrefix(fmt.Sprintf("fd00:%x:%x::/64", 0x7e00+a, b))})
	}
	return configs
}

func isNotFound(err error) bool { return errdefs.IsNotFound(err) }
