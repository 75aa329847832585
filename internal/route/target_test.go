package route

import (
	"testing"

	"rgate/internal/stats"
)

// A route with several targets shares by weight, and each counts its own.
func TestARouteLeadsToSeveralTargets(t *testing.T) {
	ledger := stats.NewLedger()
	table := Build(parse(t, `
routes: [{path_prefix: /new, backend: old}]
backends: [{name: old, endpoints: ["10.0.0.1:80"]}, {name: next, endpoints: ["10.0.0.2:80"]}]
`), nil, Empty(ledger))
	r := table.Routes[0]
	never := func(int64) int64 { t.Error("a number was drawn where there is no choice"); return 0 }
	if to := r.Target(never); to.Backend.Name != "old" {
		t.Errorf("the only target is %s", to.Backend.Name)
	}
	r.lead(table.Backend("next"), 4, ledger)
	taken := map[string]int{}
	for point := range int64(5) {
		to := r.Target(func(below int64) int64 {
			if below != 5 {
				t.Errorf("drawn below %d, want the sum of the weights", below)
			}
			return point
		})
		taken[to.Backend.Name]++
		record(to.Stats)
	}
	if taken["old"] != 1 || taken["next"] != 4 {
		t.Errorf("weights of 1 and 4 took %v", taken)
	}
	for name, want := range map[string]uint64{"old": 1, "next": 4} {
		total := table.BackendTotal(table.Backend(name))
		if n := total.Success(); n != want {
			t.Errorf("%s counts %d, want %d", name, n, want)
		}
	}
}
