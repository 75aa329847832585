package verdict

import (
	"errors"
	"testing"
	"time"

	"rgate/internal/traffic"
)

var start = time.Unix(1000, 0)

func at(ms int) time.Time { return start.Add(time.Duration(ms) * time.Millisecond) }

func lost(method string, status int, reason string, sent, answered int) traffic.Result {
	return traffic.Result{
		Request: traffic.Request{Kind: traffic.Kind{Method: method}, ID: "r"},
		Status:  status, Reason: reason, Sent: at(sent), Answered: at(answered), Err: errors.New("lost"),
	}
}

func TestTaken(t *testing.T) {
	const closed = "upstream_closed"
	fault := map[string]Fault{"r": {Reason: closed, Endpoint: "c"}}
	killed := map[string][]Ending{"c": {{at(100), Killed}}}
	post := lost("POST", 502, closed, 90, 110)
	for name, test := range map[string]struct {
		r    traffic.Result
		e    Evidence
		want string
	}{
		"a POST on a killed process":    {post, Evidence{Faults: fault, Endings: killed}, Killed},
		"on a process told to stop":     {post, Evidence{Faults: fault, Endings: map[string][]Ending{"c": {{at(100), Stopping}}}}, Stopping},
		"on a network taken away":       {post, Evidence{Faults: fault, Endings: map[string][]Ending{"c": {{at(100), CutOff}}}}, CutOff},
		"the news is on its way":        {lost("POST", 502, closed, 150, 160), Evidence{Faults: fault, Endings: killed}, Killed},
		"the news must have come":       {lost("POST", 502, closed, 250, 260), Evidence{Faults: fault, Endings: killed}, ""},
		"over long before":              {lost("POST", 502, closed, -9000, -8000), Evidence{Faults: fault, Endings: killed}, ""},
		"a GET":                         {lost("GET", 502, closed, 90, 110), Evidence{Faults: fault, Endings: killed}, ""},
		"the log does not know it":      {post, Evidence{Endings: killed}, ""},
		"another container ended":       {post, Evidence{Faults: fault, Endings: map[string][]Ending{"d": killed["c"]}}, ""},
		"nothing was sent":              {lost("POST", 503, "connect_failed", 90, 110), Evidence{Faults: map[string]Fault{"r": {"connect_failed", "c"}}, Endings: killed}, ""},
		"no answer at all":              {lost("POST", 0, "", 90, 110), Evidence{Faults: fault, Endings: killed}, ""},
		"the log tells another story":   {post, Evidence{Faults: map[string]Fault{"r": {"upstream_invalid", "c"}}, Endings: killed}, ""},
		"somebody else's 502":           {lost("POST", 502, "", 90, 110), Evidence{Faults: fault, Endings: killed}, ""},
		"an error where none is sick":   {lost("GET", 500, "", 90, 110), Evidence{}, ""},
		"what is well needs no verdict": {traffic.Result{Request: post.Request, Status: 200}, Evidence{Faults: fault, Endings: killed}, ""},
	} {
		if got := test.e.Judge([]traffic.Result{test.r})["r"]; got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

func TestSick(t *testing.T) {
	e := Evidence{Eject: Eject{After: 2, Base: time.Second}}
	excused := []struct {
		id             string
		sent, answered int
		want           bool
	}{
		{"first", 0, 5, true},
		{"takes hold", 10, 20, true},
		{"on its way", 15, 30, true},
		{"during the ejection", 500, 510, false},
		{"trial", 800, 810, true},
		{"beside the trial", 805, 830, true},
		{"the second ejection is longer", 2200, 2210, false},
		{"trial again", 2400, 2410, true},
	}
	var results []traffic.Result
	for _, x := range excused {
		r := lost("GET", 500, "", x.sent, x.answered)
		r.ID, r.ServedBy = x.id, "c"
		results = append(results, r)
	}
	other := lost("GET", 500, "", 600, 610)
	other.ID = "of the gateway"
	proofs := e.Judge(append(results, other))
	for _, x := range excused {
		if got := proofs[x.id] == Sick; got != x.want {
			t.Errorf("%s: excused %v, want %v", x.id, got, x.want)
		}
	}
	if proofs[other.ID] != "" {
		t.Error("an error that no container gave is excused")
	}
}
