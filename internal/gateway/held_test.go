package gateway

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"rgate/internal/discovery"
)

func containerView(name string, id int, address string) discovery.View {
	return discovery.View{Source: "fake", Candidates: []discovery.Candidate{
		{Backend: "only", ID: fmt.Sprintf("%064d", id), Name: name, Address: address, Weight: 1},
	}}
}

// What is drained by hand stays so until it is undrained: through restarts,
// other settings, and while it is away.
func TestADrainLastsUntilUndrain(t *testing.T) {
	address, other := backend(t, "one"), backend(t, "two")
	source := newFakeSource()
	r := start(t, labelled, source)
	source.views <- containerView("app-1", 1, address)
	until(t, "the container answers", func() bool { status, _ := r.get("/"); return status == 200 })
	if n, err := r.Drain("app-1"); n != 1 || err != nil {
		t.Fatalf("%d %v", n, err)
	}
	held := func(what string, v discovery.View) {
		t.Helper()
		before := r.Table()
		source.views <- v
		until(t, what, func() bool { return r.Table() != before })
		if status, _ := r.get("/"); status != 503 {
			t.Errorf("%s: a drained container answers %d", what, status)
		}
	}
	held("another address", containerView("app-1", 1, other))
	held("recreated under its name", containerView("app-1", 2, address))
	held("away", discovery.View{Source: "fake"})
	if _, body := r.command("GET", "/routes"); !strings.Contains(body, `"drained": [`) || !strings.Contains(body, `"app-1"`) {
		t.Errorf("routes do not show it while it is away: %s", body)
	}
	if n, err := r.Drain("app-1"); n != 0 || err != nil {
		t.Errorf("a drain of what is not there: %d %v", n, err)
	}
	held("back", containerView("app-1", 3, address))
	weighed := containerView("app-1", 3, address)
	weighed.Candidates[0].Weight = 7
	held("with another weight", weighed)
	if n, err := r.Undrain(fmt.Sprintf("%064d", 3)[:64]); n != 1 || err != nil {
		t.Errorf("undrain by id of what was drained by name: %d %v", n, err)
	}
	if status, _ := r.get("/"); status != 200 {
		t.Errorf("an undrained container answers %d", status)
	}
}

func TestADrainCanBeTakenBackWhileItIsAway(t *testing.T) {
	address := backend(t, "one")
	source := newFakeSource()
	r := start(t, labelled, source)
	id := fmt.Sprintf("%064d", 1)
	source.views <- containerView("app-1", 1, address)
	until(t, "the container answers", func() bool { status, _ := r.get("/"); return status == 200 })
	if n, err := r.Drain(id[:12]); n != 1 || err != nil {
		t.Fatalf("%d %v", n, err)
	}
	source.views <- discovery.View{Source: "fake"}
	until(t, "it is away", func() bool { return len(r.Table().Endpoints()) == 0 })
	if n, err := r.Undrain(id[:12]); n != 1 || err != nil {
		t.Errorf("%d %v", n, err)
	}
	if n, err := r.Undrain(id[:12]); n != 0 || err != nil {
		t.Errorf("a second time: %d %v", n, err)
	}
	source.views <- containerView("app-1", 1, address)
	until(t, "it answers again", func() bool { status, _ := r.get("/"); return status == 200 })
}

// A drain that comes while an upgrade runs would be lost, or half so.
func TestADrainDuringAnUpgradeIsRefused(t *testing.T) {
	address := backend(t, "one")
	r := start(t, staticConfig(address), nil)
	note, _ := r.bequeath()
	if _, err := r.Drain(address); !errors.Is(err, errUpgrading) {
		t.Errorf("drain: %v", err)
	}
	if status, body := r.command("POST", "/drain?container="+address); status != 503 || !strings.Contains(body, "try again") {
		t.Errorf("by command: %d %s", status, body)
	}
	r.keepOn()
	if n, err := r.Drain(address); n != 1 || err != nil {
		t.Errorf("after an upgrade that failed: %d %v", n, err)
	}
	if b := readBequest(note); len(b.Held) != 0 {
		t.Errorf("handed on: %v", b.Held)
	}
	r.keepOn()
	note, _ = r.bequeath()
	if b := readBequest(note); len(b.Held) != 1 || b.Held[0] != address {
		t.Errorf("handed on: %v", b.Held)
	}
}

func TestDrainsAreBounded(t *testing.T) {
	var text strings.Builder
	text.WriteString("routes: [{path_prefix: /, backend: only}]\nbackends:\n  - name: only\n    endpoints:\n")
	for n := range maxHeld + 1 {
		fmt.Fprintf(&text, "      - 127.0.0.1:%d\n", n+1)
	}
	r := run(t, Options{Config: parsed(t, text.String())}, nil)
	for n := range maxHeld {
		if n, err := r.Drain(fmt.Sprintf("127.0.0.1:%d", n+1)); n != 1 || err != nil {
			t.Fatal(n, err)
		}
	}
	if _, err := r.Drain(fmt.Sprintf("127.0.0.1:%d", maxHeld+1)); !errors.Is(err, errManyHeld) {
		t.Errorf("one too many: %v", err)
	}
}
