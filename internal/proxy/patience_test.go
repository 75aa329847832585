package proxy

import (
	"strings"
	"testing"
	"time"

	"rgate/internal/upstream"
)

const hasty = "timeouts: {response_header: 9s}\n"

// A client waits as long as response_header says, not once per attempt.
func TestAllAttemptsShareTheTimeForAHead(t *testing.T) {
	g, _ := gateOf(t, hasty+strings.Replace(two, "endpoints: [", "retries: 10, endpoints: ['10.0.0.3:80', ", 1))
	x := request("GET", "/api")
	g.Begin(x)
	now := time.Now()
	x.Next(upstream.None, now)
	if w := x.HeadWait(); w != 9*time.Second {
		t.Errorf("the first attempt may wait %v", w)
	}
	x.Asked(now.Add(time.Second)) // a second for the upload
	now = now.Add(5 * time.Second)
	if x.Next(upstream.Broken, now) == nil {
		t.Fatal("not repeated while there is time")
	}
	if w := x.HeadWait(); w != 5*time.Second {
		t.Errorf("the second attempt may wait %v", w)
	}
	now = now.Add(time.Second)
	x.Next(upstream.ConnectTimedOut, now)
	if w := x.HeadWait(); w != 5*time.Second {
		t.Errorf("after a connection in vain it is %v", w)
	}
	if x.Next(upstream.Broken, now.Add(5*time.Second)) != nil || x.Answer.Status != 502 {
		t.Error("repeated without time")
	}
	x.End(upstream.None, now)
	balanced(t, g)
}

// With retry_timeouts each attempt leaves something to those behind it.
func TestAttemptsThatMayTimeOutShareAlike(t *testing.T) {
	f := func(method string, body Body, want ...time.Duration) {
		t.Helper()
		g, _ := gateOf(t, hasty+"retry_timeouts: true\n"+one)
		x := request(method, "/api")
		x.Body = body
		g.Begin(x)
		now := time.Now()
		n := 0
		for e := x.Next(upstream.None, now); e != nil; e = x.Next(upstream.TimedOut, now) {
			if n == len(want) {
				t.Fatalf("%s: attempt %d", method, n+1)
			}
			if w := x.HeadWait(); w != want[n] {
				t.Errorf("%s: attempt %d may wait %v", method, n+1, w)
			}
			now = now.Add(x.HeadWait())
			n++
		}
		if n != len(want) || x.Answer.Status != 504 {
			t.Errorf("%s: %d attempts, told %d", method, n, x.Answer.Status)
		}
		x.End(upstream.None, now)
		balanced(t, g)
	}
	f("GET", NoBody, 3*time.Second, 3*time.Second, 3*time.Second)
	f("PUT", Streamed, 9*time.Second)
	f("POST", NoBody, 9*time.Second)
}
