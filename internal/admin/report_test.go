package admin

import (
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"rgate/internal/proxy"
	"rgate/internal/route"
)

// However many ask, a report is made ten times a second at most, and nobody
// gets one from before they asked.
func TestAReportIsMadeForAllWhoAsk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var made atomic.Int64
		began := time.Now()
		r := newReport(func(*route.Table) any { made.Add(1); return time.Since(began).Milliseconds() })
		none := func() *route.Table { return nil }
		var askers sync.WaitGroup
		for i := range 1000 {
			askers.Go(func() {
				time.Sleep(time.Duration(i) * time.Millisecond)
				asked := time.Now()
				a := r.since(asked, none)
				if at, err := strconv.Atoi(strings.TrimSpace(string(a.Body))); err != nil || at < i {
					t.Errorf("asked at %d ms, got a report of %s", i, a.Body)
				}
				if took := time.Since(asked); took > every {
					t.Errorf("asking took %v", took)
				}
			})
		}
		askers.Wait()
		if n := made.Load(); n > 11 || n < 9 {
			t.Errorf("%d reports were made in a second", n)
		}
	})
}

// Strangers see totals alone, unless the file says otherwise.
func TestDetailsAreNotPublic(t *testing.T) {
	get := table(t)
	s := NewStatistics(get)
	page := func(query string) *proxy.Answer {
		return s.Page(&proxy.Exchange{Method: []byte("GET"), Query: []byte(query), Start: time.Now()})
	}
	for _, query := range []string{"?by=route", "?by=backend", "?x=1&by=endpoint", "?b%79=route", "?by=colour"} {
		if a := page(query); a.Status != 403 || !strings.Contains(string(a.Body), "stats: {details: true}") || strings.Contains(string(a.Body), "127.0.0.1") {
			t.Errorf("%s: %d %s", query, a.Status, a.Body)
		}
	}
	for _, query := range []string{"", "?", "?by=", "?x=1"} {
		if a := page(query); a.Status != 200 || !strings.Contains(string(a.Body), "requests_count") {
			t.Errorf("%s: %d %s", query, a.Status, a.Body)
		}
	}
	get().Config.Stats.Details = true
	if a := page("?by=endpoint"); a.Status != 200 || !strings.Contains(string(a.Body), "127.0.0.1:1") {
		t.Errorf("with details: %d %s", a.Status, a.Body)
	}
}
