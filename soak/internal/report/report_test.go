package report

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rgate/internal/traffic"
	"rgate/internal/trial"
)

func results() []traffic.Result {
	start := time.Unix(1000, 0)
	var all []traffic.Result
	for i := range 200 {
		r := traffic.Result{Request: traffic.Request{ID: string(rune('a' + i)), Kind: traffic.Kinds[i%4], Due: start}}
		r.Sent, r.Answered = start, start.Add(time.Duration(i+1)*time.Millisecond)
		all = append(all, r)
	}
	all[0].Err, all[1].Err, all[5].Err = errors.New("a GET"), errors.New("a POST"), errors.New("another POST")
	all[2].Retried = true
	return all
}

func TestSum(t *testing.T) {
	all := results()
	row := Sum(all, map[string]string{all[1].ID: "killed", all[3].ID: "of one that did not fail"})
	if row.Sent != 200 || row.Failed() != 2 || row.Lost["GET"] != 1 || row.Lost["POST"] != 1 || row.Unavoidable["killed"] != 1 ||
		len(row.Unavoidable) != 1 || row.Retried != 1 || !row.Bad() || len(row.Examples) != 2 {
		t.Errorf("%+v", row)
	}
	if row.P99 != 198*time.Millisecond || row.Worst != 200*time.Millisecond {
		t.Errorf("p99 %v, worst %v", row.P99, row.Worst)
	}
	if row = Sum(nil, nil); row.Bad() || row.Worst != 0 {
		t.Errorf("%+v", row)
	}
	if row.Trouble = "no engine"; !row.Bad() {
		t.Error("a scenario that was broken off is fine")
	}
}

func TestPrint(t *testing.T) {
	all := results()
	bad := Sum(all, map[string]string{all[1].ID: "killed"})
	bad.Scenario, bad.Title, bad.Gateway, bad.Retries = "kill", "docker kill", "loop", 7
	good := Sum(all[10:], nil)
	good.Scenario, good.Title, good.Gateway, good.Worst = "pause", "docker pause", "standard", 2500*time.Millisecond
	broken := Row{Scenario: "scale", Title: "scaled", Gateway: "loop", Trouble: "no engine", Retries: -1, Worst: 12 * time.Second}
	r := &Run{Command: "go run ./soak", Machine: "a machine", Rate: 200, Rows: []Row{bad, good, broken}}
	file := filepath.Join(t.TempDir(), "new", "soak.json")
	if err := trial.Keep(file, r); err != nil {
		t.Fatal(err)
	}
	r = &Run{}
	if err := trial.Kept(file, r); err != nil || r.Bad() != 2 {
		t.Fatalf("%v, %d bad", err, r.Bad())
	}
	var text, markdown strings.Builder
	r.Header(&text)
	r.Table(&text)
	for _, row := range r.Rows {
		row.Line(&text)
	}
	for _, want := range []string{"200 requests a second", "docker kill", "2 (1 GET, 1 POST)", "1 killed", "7 + 1 by the client",
		"lost: GET", "2.5 s", "12 s", "broken off: no engine"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("%q is missing in\n%s", want, text.String())
		}
	}
	r.Markdown(&markdown)
	if want := "| docker kill | **2** of 200 (1 killed), 7 retried, worst 200.0 ms | not played |\n" +
		"| docker pause | not played | **0** of 190, worst 2.5 s |\n| scaled | broken off | not played |\n"; !strings.Contains(markdown.String(), want) {
		t.Errorf("%q is missing in\n%s", want, markdown.String())
	}
}
