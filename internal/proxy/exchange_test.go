package proxy

import (
	"bytes"
	"encoding/json"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"

	"rgate/internal/upstream"
)

func TestVerdicts(t *testing.T) {
	f := func(method, target string, want Verdict, status int, reason string) {
		t.Helper()
		g, _ := gateOf(t, two+"default_response: {status_code: 403, body: no}\n")
		g.Inform(func(*Exchange) *Answer { return &Answer{Status: 200} })
		x := request(method, target)
		if got := g.Begin(x); got != want {
			t.Fatalf("%s %s: verdict %v, want %v", method, target, got, want)
		}
		if want == Reply && (x.Answer.Status != status || x.Answer.Reason != reason) {
			t.Errorf("%s %s: %d %s", method, target, x.Answer.Status, x.Answer.Reason)
		}
		x.End(upstream.None, time.Now())
		x.End(upstream.None, time.Now()) // harmless
		recorded := uint64(1)
		if want == Wait {
			recorded = 0 // the statistics page
		}
		total := g.Table().Total()
		if n := total.Success() + total.Error(); n != recorded {
			t.Errorf("%s %s: recorded %d times", method, target, n)
		}
		balanced(t, g)
	}
	f("GET", "/api/x?y=1", Forward, 0, "")
	f("GET", "/other", Reply, 403, ReasonNoRoute)
	f("GET", "/api/%zz", Reply, 400, ReasonBadRequest)
	f("GET", "/../x", Reply, 400, ReasonBadRequest)
	f("CONNECT", "shop.example:443", Reply, 501, ReasonUnsupport)
	f("OPTIONS", "*", Reply, 403, ReasonNoRoute)
	f("GET", "/stats?by=route", Wait, 0, "")
}

// Whatever path the configuration takes for the page, requests find it there.
func TestThePageIsWhereItIsSaidToBe(t *testing.T) {
	for _, path := range []string{"/", "/stats", "/a/b/", "/a%20b", "/a%2Fb", "/a;b", "/.well-known/stats"} {
		g, _ := gateOf(t, one+"stats: {path: '"+path+"'}\n")
		g.Inform(func(x *Exchange) *Answer { return &Answer{Status: 200, Body: bytes.Clone(x.Path)} })
		x := request("GET", path)
		if g.Begin(x) != Wait {
			t.Errorf("no page at %s", path)
			continue
		}
		<-suspend(x)
		if x.Job.Finish() != Reply || string(x.Answer.Body) != path {
			t.Errorf("at %s: %+v", path, x.Answer)
		}
	}
}

func TestTheQueryIsNotTouched(t *testing.T) {
	g, _ := gateOf(t, two)
	x := request("GET", "/api/./%61?q=/../%zz")
	g.Begin(x)
	if string(x.Path) != "/api/a" || string(x.Forward) != "/api/a" || string(x.Query) != "?q=/../%zz" {
		t.Errorf("got %q and %q", x.Path, x.Query)
	}
}

// Each outcome of a first attempt: whether there is a second, and what the
// client is told if not.
func TestNoEndpoint(t *testing.T) {
	g, book := gateOf(t, strings.Replace(one, `endpoints: ["10.0.0.1:80"]`, "match_labels: [a=b]", 1))
	x := request("GET", "/api")
	g.Begin(x)
	if x.Next(upstream.None, time.Now()) != nil || x.Answer.Status != 503 || x.Answer.Reason != ReasonNoEndpoint || !x.Answer.RetryAfter {
		t.Fatalf("got %+v", x.Answer)
	}
	x.End(upstream.None, time.Now())
	for _, want := range []string{"no_endpoint", string(x.RequestID), "backend=b"} {
		if !strings.Contains(book.String(), want) {
			t.Errorf("the log lacks %q", want)
		}
	}
	balanced(t, g)
}

func TestAClientThatGoesAwayIs499(t *testing.T) {
	g, _ := gateOf(t, one)
	x := request("GET", "/api")
	g.Begin(x)
	x.Next(upstream.None, time.Now())
	x.End(upstream.Canceled, time.Now())
	total := g.Table().Total()
	if x.Status != StatusClientClosed || total.Error() != 1 {
		t.Errorf("status %d, %d errors", x.Status, total.Error())
	}
	balanced(t, g)
}

func TestAFullBackendQueues(t *testing.T) {
	g, _ := gateOf(t, strings.Replace(one, "name: b,", "name: b, max_in_flight: 1, queue: {size: 1, timeout: 1s},", 1))
	first, second, third, fourth := request("GET", "/api"), request("GET", "/api"), request("GET", "/api"), request("GET", "/api")
	if g.Begin(first) != Forward || g.Begin(second) != Wait || g.Begin(third) != Reply {
		t.Fatal("the queue holds one, and sheds the newest")
	}
	place := suspend(second)
	if third.Answer.Status != 503 || third.Answer.Reason != ReasonOverload {
		t.Errorf("shed with %+v", third.Answer)
	}
	third.End(upstream.None, time.Now())
	first.Next(upstream.None, time.Now())
	first.Head(200)
	first.End(upstream.Answered, time.Now())
	<-place
	if g.Begin(fourth) != Wait || fourth.Job.Limit() != time.Second {
		t.Fatal("the place in the queue is lost")
	}
	suspend(fourth)
	if fourth.Job.Late() != Reply || fourth.Answer.Status != 503 {
		t.Errorf("late, with %+v", fourth.Answer)
	}
	fourth.End(upstream.None, time.Now())
	fifth := request("GET", "/api")
	g.Begin(fifth)
	suspend(fifth)
	fifth.Job.Abandon()
	fifth.End(upstream.Canceled, time.Now())
	if fifth.Answer != nil || fifth.Status != StatusClientClosed {
		t.Errorf("a client that left is told %+v, recorded as %d", fifth.Answer, fifth.Status)
	}
	if second.Job.Finish() != Forward {
		t.Error("not let in")
	}
	second.Next(upstream.None, time.Now())
	second.Head(200)
	second.End(upstream.Answered, time.Now())
	balanced(t, g)
	if !g.Table().Backends[0].Gate.Enter() {
		t.Error("a place was lost")
	}
}

func TestRequestIDs(t *testing.T) {
	f := func(sent string, kept bool) {
		t.Helper()
		g, _ := gateOf(t, one)
		x := request("GET", "/api")
		x.Header = fields{"X-Request-Id": {sent}}
		g.Begin(x)
		if (string(x.RequestID) == sent) != kept {
			t.Errorf("%q: became %q", sent, x.RequestID)
		}
		if !kept && !regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).Match(x.RequestID) {
			t.Errorf("%q is no UUIDv7", x.RequestID)
		}
	}
	f("abc-123", true)
	f("", false)
	f("with space", false)
	f("line\nfeed", false)
	f(strings.Repeat("x", 129), false)
}

func TestForwardingHeaders(t *testing.T) {
	f := func(client string, trusted string, sent fields, want [4]string) {
		t.Helper()
		g, _ := gateOf(t, one+"trusted_proxies: ["+trusted+"]\n")
		x := request("GET", "/api")
		x.Header, x.Peer = sent, netip.MustParseAddr(client)
		g.Begin(x)
		got := [4]string{
			string(x.AppendForwardedFor(nil)), string(x.ForwardedHost()),
			string(x.AppendForwardedProto(nil)), string(x.AppendForwarded(nil)),
		}
		if got != want {
			t.Errorf("%s, trusted %s:\n got %q\nwant %q", client, trusted, got, want)
		}
	}
	sent := fields{
		"X-Forwarded-For": {"203.0.113.9", "198.51.100.1"}, "X-Forwarded-Host": {"front.example"},
		"X-Forwarded-Proto": {"https"}, "Forwarded": {"for=203.0.113.9"},
	}
	f("192.0.2.7", "10.0.0.0/8", sent, [4]string{"192.0.2.7", "shop.example", "http", `for=192.0.2.7;host="shop.example";proto=http`})
	sent["Forwarded"] = []string{`for=203.0.113.9, for="198.51.100.1:80"`}
	f("10.1.2.3", "10.0.0.0/8", sent, [4]string{"203.0.113.9, 198.51.100.1, 10.1.2.3", "front.example", "https", `for=203.0.113.9, for="198.51.100.1:80", for=10.1.2.3;host="shop.example";proto=http`})

	// A proxy that writes one of the two may pass on what its client says in the other.
	xff := fields{"X-Forwarded-For": {"203.0.113.9, 2001:db8::9"}}
	want := [4]string{"203.0.113.9, 2001:db8::9, 10.1.2.3", "shop.example", "http", `for="[2001:db8::9]", for=10.1.2.3;host="shop.example";proto=http`}
	f("10.1.2.3", "10.0.0.0/8", xff, want)
	for _, lie := range []string{"for=192.0.2.1", "for=10.0.0.9", "for=_hidden", "proto=https", ",", `for="2001:db8::9, for=192.0.2.1"`} {
		xff["Forwarded"] = []string{lie}
		f("10.1.2.3", "10.0.0.0/8", xff, want)
	}
	f("10.1.2.3", "10.0.0.0/8", fields{"Forwarded": {"for=198.51.100.1, for=203.0.113.9"}}, [4]string{"203.0.113.9, 10.1.2.3", "shop.example", "http", `for=198.51.100.1, for=203.0.113.9, for=10.1.2.3;host="shop.example";proto=http`})
	f("10.1.2.3", "10.0.0.0/8", fields{}, [4]string{"10.1.2.3", "shop.example", "http", `for=10.1.2.3;host="shop.example";proto=http`})
	f("2001:db8::1", "", fields{}, [4]string{"2001:db8::1", "shop.example", "http", `for="[2001:db8::1]";host="shop.example";proto=http`})
}

func TestErrorsInJSON(t *testing.T) {
	g, _ := gateOf(t, one)
	x := request("GET", "/%zz")
	x.Header = fields{"Accept": {"text/html, application/json"}}
	g.Begin(x)
	var body struct {
		Status        int
		Reason, Error string
	}
	if err := json.Unmarshal(x.Answer.Body, &body); err != nil || body.Status != 400 || body.Reason != ReasonBadRequest || body.Error == "" || x.Answer.ContentType != "application/json" {
		t.Errorf("got %s, %v", x.Answer.Body, err)
	}
}

func TestSticky(t *testing.T) {
	g, _ := gateOf(t, strings.Replace(two, "name: b,", "name: b, sticky: {cookie: seat, secret: 0123456789abcdef},", 1))
	x := request("GET", "/api")
	g.Begin(x)
	home := x.Next(upstream.None, time.Now())
	x.Head(200)
	x.End(upstream.Answered, time.Now())
	seat, _, _ := strings.Cut(string(x.SetCookie), ";")
	if seat == "" || strings.Contains(seat, "10.0.0") {
		t.Fatalf("cookie %q", x.SetCookie)
	}
	for range 20 {
		x := request("GET", "/api")
		x.Header = fields{"Cookie": {"a=b; " + seat}}
		g.Begin(x)
		if x.Next(upstream.None, time.Now()) != home {
			t.Fatal("the client lost its seat")
		}
		x.Head(200)
		if x.SetCookie != nil {
			t.Error("told again")
		}
		x.End(upstream.Answered, time.Now())
	}
}

func TestHashKeys(t *testing.T) {
	f := func(balance string, a, b *Exchange) {
		t.Helper()
		g, _ := gateOf(t, strings.Replace(two, "name: b,", "name: b, balance: {consistent_hash: "+balance+"},", 1))
		for _, x := range []*Exchange{a, b} {
			g.Begin(x)
		}
		if a.key == 0 || a.key == b.key {
			t.Errorf("%s: keys %x and %x", balance, a.key, b.key)
		}
	}
	with := func(name, value string) *Exchange {
		x := request("GET", "/api")
		x.Header = fields{name: {value}}
		return x
	}
	f("{header: X-User}", with("X-User", "ann"), with("X-User", "ben"))
	f("{cookie: user}", with("Cookie", "user=ann"), with("Cookie", "x=y; user=ben"))
	f("path", request("GET", "/api/1"), request("GET", "/api/2"))
	other := request("GET", "/api")
	other.Peer = netip.MustParseAddr("192.0.2.8")
	f("client_ip", request("GET", "/api"), other)
}

// Requests without the key do not meet on one endpoint.
func TestAMissingHashKeyIsRandom(t *testing.T) {
	g, _ := gateOf(t, strings.Replace(two, "name: b,", "name: b, balance: {consistent_hash: {header: X-User}},", 1))
	seen := map[*upstream.Endpoint]int{}
	for range 100 {
		x := request("GET", "/api")
		g.Begin(x)
		seen[x.Next(upstream.None, time.Now())]++
		x.Head(200)
		x.End(upstream.Answered, time.Now())
	}
	if len(seen) != 2 {
		t.Errorf("all went to one endpoint: %v", seen)
	}
}

func TestRefuseAnswersWhatCouldNotBeRead(t *testing.T) {
	g, _ := gateOf(t, one)
	x := &Exchange{Start: time.Now()}
	g.Refuse(x, BadRequest("no request line"))
	x.End(upstream.None, time.Now())
	total := g.Table().Total()
	if x.Status != 400 || len(x.RequestID) == 0 || total.Error() != 1 {
		t.Errorf("status %d, id %q, %d errors", x.Status, x.RequestID, total.Error())
	}
}

func TestFaultsDoNotFloodTheLog(t *testing.T) {
	g, book := gateOf(t, one)
	now := time.Unix(1000, 0)
	for range 1000 {
		x := request("GET", "/%zz")
		x.Start = now
		g.Begin(x)
		x.End(upstream.None, now)
	}
	if n := strings.Count(book.String(), "\n"); n != logsPerSecond {
		t.Errorf("%d lines", n)
	}
	x := request("GET", "/%zz")
	x.Start = now.Add(time.Second)
	g.Begin(x)
	x.End(upstream.None, x.Start)
	if !strings.Contains(book.String(), "suppressed=980") {
		t.Error("the log does not say how much it left out")
	}
}
