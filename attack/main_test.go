//go:build linux

package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == crowdRole { // this binary is an attacker
		if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

func TestParse(t *testing.T) {
	for _, args := range [][]string{{"-rate", "0"}, {"-seconds", "0"}, {"-before", "0"}, {"surplus"}, {"-unknown"}} {
		if _, err := parse(args, &strings.Builder{}); err == nil {
			t.Errorf("%q is no error", args)
		}
	}
	for _, only := range []string{"(", "nothing"} {
		if _, err := (settings{only: only}).attacks(); err == nil {
			t.Errorf("-only %q is no error", only)
		}
	}
}

func TestAttacksHaveNamesOfTheirOwn(t *testing.T) {
	var names []string
	for _, a := range allAttacks() {
		if slices.Contains(names, a.name) || a.title == "" || a.bound == 0 || len(a.argv("127.0.0.1:1", 1)) == 0 {
			t.Errorf("%+v", a)
		}
		names = append(names, a.name)
	}
}

func TestWhatIsBad(t *testing.T) {
	good := row{attack: attack{bound: 10}, undisturbed: 300, rate: 285, first: 95, before: 5, peak: 15}
	slow, fat, late := good, good, good
	slow.rate, fat.peak, late.first = 284, 16, 94
	if good.bad() || !slow.bad() || !fat.bad() || !late.bad() {
		t.Errorf("good %v, slow %v, fat %v, late %v", good.bad(), slow.bad(), fat.bad(), late.bad())
	}
}

// One attack for real, from the binary to the table. What it measures in a
// second is not judged.
func TestAttack(t *testing.T) {
	var out strings.Builder
	err := run([]string{"-only", "flood", "-engines", "loop", "-seconds", "1", "-before", "0.5", "-markdown"}, &out, &out)
	if err != nil && !strings.Contains(err.Error(), "gave way") {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "| loop |") || !strings.Contains(out.String(), " opened") {
		t.Error(out.String())
	}
}
