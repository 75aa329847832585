package proxy

import (
	"strings"
	"testing"
	"time"

	"rgate/internal/upstream"
)

func TestNext(t *testing.T) {
	f := func(config, method string, body Body, last upstream.Outcome, again bool, status int) {
		t.Helper()
		g, _ := gateOf(t, config)
		x := request(method, "/api")
		x.Body = body
		g.Begin(x)
		first := x.Next(upstream.None, time.Now())
		if first == nil {
			t.Fatal("no endpoint")
		}
		second := x.Next(last, time.Now())
		if (second != nil) != again {
			t.Fatalf("%s, body %d, %v: second attempt %v", method, body, last, second)
		}
		switch {
		case second == nil && x.Answer.Status != status:
			t.Errorf("%s, %v: told %d, want %d", method, last, x.Answer.Status, status)
		case second != nil && config == two && second == first:
			t.Errorf("%s, %v: the same endpoint while another was left", method, last)
		}
		if second != nil {
			x.Head(200)
		}
		x.End(upstream.Answered, time.Now())
		balanced(t, g)
	}
	for _, method := range []string{"GET", "POST"} {
		f(two, method, Streamed, upstream.ConnectFailed, true, 0)
		f(one, method, NoBody, upstream.ConnectFailed, false, 503)
		f(two, method, Streamed, upstream.ConnectTimedOut, true, 0)
		f(one, method, NoBody, upstream.ConnectTimedOut, false, 503)
		f(two, method, Streamed, upstream.Reset, true, 0)
		f(one, method, Streamed, upstream.Reset, true, 0)
		f(two, method, NoBody, upstream.Invalid, false, 502)
	}
	f(two, "GET", NoBody, upstream.Broken, true, 0)
	f(two, "GET", NoBody, upstream.TimedOut, false, 504)
	f(one, "GET", NoBody, upstream.Stale, true, 0)
	f(two, "PUT", Replayable, upstream.Broken, true, 0)
	f(two, "PUT", Streamed, upstream.Broken, false, 502)
	f(two, "POST", NoBody, upstream.Broken, false, 502)
	f(two, "POST", NoBody, upstream.TimedOut, false, 504)
	f(two, "POST", Replayable, upstream.Stale, false, 502)
	f(strings.Replace(two, "name: b,", "name: b, retries: 0,", 1), "GET", NoBody, upstream.ConnectFailed, false, 503)
}

func TestRetriesAreCountedAndBounded(t *testing.T) {
	g, _ := gateOf(t, strings.Replace(two, "name: b,", "name: b, retries: 10,", 1))
	given := 0
	for range 20 {
		x := request("GET", "/api")
		g.Begin(x)
		x.Next(upstream.None, time.Now())
		if x.Next(upstream.Broken, time.Now()) != nil {
			given++
			x.Head(200)
		}
		x.End(upstream.Answered, time.Now())
	}
	if given != 4 { // a fifth of 20
		t.Errorf("%d retries out of 20 requests", given)
	}
	if n := g.Table().Routes[0].Targets[0].Stats.Snapshot().Retries; n != 4 {
		t.Errorf("%d retries counted", n)
	}
	balanced(t, g)
}

// What cannot be tried again takes nothing from the budget.
func TestTheBudgetIsNotSpentInVain(t *testing.T) {
	g, _ := gateOf(t, one)
	now := time.Now()
	for range 10 {
		x := request("GET", "/api")
		g.Begin(x)
		x.Next(upstream.None, now)
		if x.Next(upstream.ConnectTimedOut, now) != nil || x.Answer.Status != 503 || !x.Answer.RetryAfter {
			t.Fatalf("told %+v", x.Answer)
		}
		x.End(upstream.ConnectTimedOut, now)
	}
	for range 3 { // the floor
		if !g.Table().Backends[0].Budget.Retry(now) {
			t.Error("the budget was spent where no endpoint was left")
		}
	}
	balanced(t, g)
}

func TestAnAnswerThatBreaksOff(t *testing.T) {
	g, book := gateOf(t, strings.Replace(two, "name: b,", "name: b, eject: {connect_failures: 1, server_errors: 0, base: 1m, max: 1m},", 1))
	x := request("GET", "/api")
	g.Begin(x)
	e := x.Next(upstream.None, time.Now())
	x.Head(200)
	x.End(upstream.Truncated, time.Now())
	total := g.Table().Total()
	if total.Success() != 1 || total.Truncated != 1 || e.Stats.Snapshot().Truncated != 1 {
		t.Errorf("counted %+v", total)
	}
	if !strings.Contains(e.State(), "ejected") {
		t.Errorf("the endpoint is %s", e.State())
	}
	if text := book.String(); !strings.Contains(text, "reason="+ReasonTruncated) || !strings.Contains(text, "endpoint="+e.Name) {
		t.Errorf("the log says %q", text)
	}
	balanced(t, g)
}

// 504 comes from the last attempt only.
func TestTheLastAttemptNamesTheStatus(t *testing.T) {
	g, _ := gateOf(t, "retry_timeouts: true\n"+two)
	x := request("GET", "/api")
	g.Begin(x)
	x.Next(upstream.None, time.Now())
	x.Next(upstream.TimedOut, time.Now())
	x.Next(upstream.Broken, time.Now())
	if x.Next(upstream.Broken, time.Now()) != nil || x.Answer.Status != 502 {
		t.Errorf("told %+v", x.Answer)
	}
	x.End(upstream.Broken, time.Now())
	balanced(t, g)
}

// That no endpoint could be reached is not said where one was.
func TestTheAnswerTellsWhatHappened(t *testing.T) {
	g, _ := gateOf(t, two)
	x := request("GET", "/api")
	g.Begin(x)
	x.Next(upstream.None, time.Now())
	x.Next(upstream.Broken, time.Now())
	if x.Next(upstream.ConnectFailed, time.Now()) != nil || x.Answer.Status != 502 {
		t.Errorf("told %+v", x.Answer)
	}
	x.End(upstream.ConnectFailed, time.Now())
	balanced(t, g)
}

// Refusals cost no time: as long as an endpoint was not asked, it is.
func TestRefusedDialsAreNoRetries(t *testing.T) {
	six := strings.Replace(two, "endpoints: [", "endpoints: ['10.9.0.1:1', '10.9.0.2:1', '10.9.0.3:1', '10.9.0.4:1', ", 1)
	for _, c := range []struct {
		retries string
		last    []upstream.Outcome // of the attempts from the first on
		want    int                // attempts in all
	}{
		{"2", []upstream.Outcome{upstream.ConnectFailed}, 6},
		{"0", []upstream.Outcome{upstream.ConnectFailed}, 1},
		{"1", []upstream.Outcome{upstream.ConnectFailed, upstream.Broken, upstream.ConnectTimedOut}, 6},
	} {
		g, _ := gateOf(t, strings.Replace(six, "name: b,", "name: b, retries: "+c.retries+",", 1))
		x := request("GET", "/api")
		g.Begin(x)
		n, seen := 0, map[*upstream.Endpoint]bool{}
		for e := x.Next(upstream.None, time.Now()); e != nil; n++ {
			seen[e] = true
			e = x.Next(c.last[min(n, len(c.last)-1)], time.Now())
		}
		if n != c.want || len(seen) != n || x.Answer.Status/100 != 5 {
			t.Errorf("retries %s after %v: %d attempts on %d endpoints, told %d; want %d", c.retries, c.last, n, len(seen), x.Answer.Status, c.want)
		}
		x.End(upstream.Answered, time.Now())
		balanced(t, g)
	}
}

// That the budget is spent keeps nobody from an endpoint that was not asked.
func TestConnectingElsewhereNeedsNoBudget(t *testing.T) {
	six := strings.Replace(two, "endpoints: [", "endpoints: ['10.9.0.1:1', '10.9.0.2:1', '10.9.0.3:1', '10.9.0.4:1', ", 1)
	f := func(text string, took time.Duration, want int) {
		t.Helper()
		g, _ := gateOf(t, text)
		now := time.Now()
		for g.Table().Backends[0].Budget.Retry(now) {
		}
		x := request("GET", "/api")
		g.Begin(x)
		n := 0
		for e := x.Next(upstream.None, now); e != nil; e = x.Next(upstream.ConnectTimedOut, now) {
			n, now = n+1, now.Add(took)
		}
		if n != want || x.Answer.Reason != ReasonConnect {
			t.Errorf("%d attempts, told %s", n, x.Answer.Reason)
		}
		x.End(upstream.None, now)
		balanced(t, g)
	}
	f(six, time.Second, 6)
	f("retries: 0\n"+six, time.Second, 1)
	// Who waited as long as for a head has waited long enough.
	f("retries: 1\ntimeouts: {response_header: 2s}\n"+six, time.Second, 3)
}
