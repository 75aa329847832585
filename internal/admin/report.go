package admin

import (
	"encoding/json"
	"net/http"
	"time"

	"rgate/internal/proxy"
	"rgate/internal/route"
)

// every is how often a report is made at most. Adding up the histograms of
// thousands of routes takes a processor for a while, and anybody may ask.
const every = 100 * time.Millisecond

// Statistics answers for the traffic so far.
type Statistics struct {
	table   func() *route.Table
	reports map[string]*report
}

// NewStatistics makes the statistics of the tables that table returns.
func NewStatistics(table func() *route.Table) *Statistics {
	return &Statistics{table: table, reports: map[string]*report{
		"":         newReport(func(t *route.Table) any { return t.Total().Report() }),
		"route":    newReport(func(t *route.Table) any { return byRoute(t) }),
		"backend":  newReport(func(t *route.Table) any { return byBackend(t) }),
		"endpoint": newReport(func(t *route.Table) any { return byEndpoint(t) }),
	}}
}

// report is one view of the statistics. All who ask while one is made, or is
// not due yet, get the next: nobody gets numbers from before they asked.
type report struct {
	of func(*route.Table) any

	turn   chan struct{} // holds a token while someone makes it, or waits to
	made   time.Time     // when the counters were about to be read
	answer *proxy.Answer
}

func newReport(of func(*route.Table) any) *report {
	return &report{of: of, turn: make(chan struct{}, 1)}
}

// since is a report made at asked or later. It may wait for as long as every.
func (r *report) since(asked time.Time, table func() *route.Table) *proxy.Answer {
	r.turn <- struct{}{}
	defer func() { <-r.turn }()
	if r.answer != nil {
		if !r.made.Before(asked) {
			return r.answer
		}
		time.Sleep(every - time.Since(r.made))
	}
	r.made = time.Now()
	r.answer = rendered(r.of(table()))
	return r.answer
}

func rendered(report any) *proxy.Answer {
	body, err := json.MarshalIndent(report, "", "  ")
	if err != nil {
		return told(http.StatusInternalServerError, err.Error()+"\n") // cannot be: plain data
	}
	return &proxy.Answer{
		Status: http.StatusOK, ContentType: "application/json", Body: append(body, '\n'),
		Fields: [][2]string{{"Cache-Control", "no-store"}},
	}
}
