//go:build linux

package main

import (
	"fmt"
	"io"
	"runtime"
	"slices"
	"time"
)

// table prints rows as they come, as text or for docs/performance.md.
type table struct {
	settings
	out   io.Writer
	rows  int
	bad   int
	again bool // some row was played twice
}

const textForm = "%-46s  %-8s  %7s  %6s  %7s  %17s  %s\n"

func (t *table) head() {
	if t.markdown {
		fmt.Fprint(t.out, "| Attack | Engine | Rate | Failed | p99 | RSS, MB | Connections of the attackers |\n|---|---|--:|--:|--:|--:|---|\n")
		return
	}
	fmt.Fprintf(t.out, textForm, "attack", "engine", "rate", "failed", "p99", "RSS, MB", "connections of the attackers")
}

func (t *table) row(r row) {
	t.rows++
	if r.bad() {
		t.bad++
	}
	share := fmt.Sprintf("%.1f %%", r.share())
	if r.again {
		share += "*"
		t.again = true
	}
	form := textForm
	if t.markdown {
		form = "| %s | %s | %s | %s | %s | %s | %s |\n"
	}
	fmt.Fprintf(t.out, form, r.attack.title, r.engine, share, fmt.Sprint(r.failed),
		r.p99.Round(100*time.Microsecond).String(), fmt.Sprintf("%d → %d (≤ %d)", r.before, r.peak, r.before+r.attack.bound), r.crowded())
	if r.failed > 0 && !t.markdown {
		fmt.Fprintf(t.out, "    the first failure: %v\n", r.firstError)
	}
	if r.bad() && !t.markdown {
		fmt.Fprintf(t.out, "    rgate gave way: it has to keep %d %% of the rate, also in the first second (%.1f %%), and to grow by %d MB at most\n", leastShare, r.first, r.attack.bound)
	}
}

// crowded says how rgate took the attackers' connections.
func (r row) crowded() string {
	switch {
	case r.crowds == 0:
		return fmt.Sprintf("%d descriptors open at most", r.descriptors)
	case slices.Contains([]string{"idle", "full", "heads", "bodies", "slow-hellos"}, r.attack.name):
		return fmt.Sprintf("%d opened: %d held, %d refused or closed", r.crowd.Opened, r.crowd.Opened-r.crowd.Refused, r.crowd.Refused)
	}
	return fmt.Sprintf("%d opened", r.crowd.Opened)
}

func (t *table) foot() {
	fmt.Fprintf(t.out, "\n%d CPUs, %s. %g requests a second of well-behaved clients, on kept-alive connections and on new ones; "+
		"each attack lasts %g s. Rate: right answers, of those without the attack. RSS: of rgate, before, at its peak, and what it has to stay below. "+
		"Attackers have nice 19, as they share the CPUs.\n", runtime.NumCPU(), runtime.Version(), t.rate, t.seconds)
	if t.again {
		fmt.Fprintln(t.out, "* The second try; the first was worse than allowed.")
	}
}
