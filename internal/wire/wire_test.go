package wire

import (
	"log/slog"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"

	"rgate/internal/config"
	"rgate/internal/h1"
	"rgate/internal/proxy"
	"rgate/internal/route"
)

// begun is an exchange for a request, as an engine would have begun it.
func begun(t *testing.T, raw string, trusted ...netip.Prefix) (*proxy.Exchange, *h1.Request) {
	t.Helper()
	cfg := config.Default()
	cfg.TrustedProxies = trusted
	cfg.Backends = []config.Backend{{Name: "b", Scheme: "http", Endpoints: []string{"127.0.0.1:1"}, Traffic: cfg.Traffic}}
	cfg.Routes = []config.Route{{PathPrefix: "/", Backend: "b", Match: config.MatchLiteral}}
	gate := proxy.NewGate(route.Build(cfg, nil, nil), slog.New(slog.DiscardHandler))
	x, r := &proxy.Exchange{}, &h1.Request{}
	if n, err := h1.ParseRequest([]byte(raw), h1.Limits{}, r); n == 0 || err != nil {
		t.Fatalf("%q: %d, %v", raw, n, err)
	}
	x.Method, x.Target, x.Host, x.Header = r.Method, Target(r), r.Host, &Header{Request: r}
	x.Peer, x.Start = netip.MustParseAddr("192.0.2.7"), time.Now()
	if v := gate.Begin(x); v != proxy.Forward {
		t.Fatalf("%q: verdict %d", raw, v)
	}
	return x, r
}

// fieldsOf are the lines of a head that an endpoint gets, but for those that
// every request has.
func fieldsOf(head string) string {
	head = regexp.MustCompile("(rgate-|X-Request-Id: )[0-9A-Za-z-]+").ReplaceAllString(head, "$1…")
	_, fields, _ := strings.Cut(head, "Host: h\r\n")
	always := "Via: 1.1 rgate-…\r\nX-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Host: h\r\nX-Forwarded-Proto: http\r\n" +
		"Forwarded: for=192.0.2.7;host=\"h\";proto=http\r\nX-Request-Id: …\r\n\r\n"
	return strings.TrimSuffix(fields, always)
}

func TestRequestFields(t *testing.T) {
	f := func(fields, want string, trusted ...netip.Prefix) {
		t.Helper()
		x, r := begun(t, "GET / HTTP/1.1\r\nHost: h\r\n"+fields+"\r\n", trusted...)
		if got := fieldsOf(string(AppendRequestHead(nil, x, r))); got != want {
			t.Errorf("%q: the endpoint gets %q, want %q", fields, got, want)
		}
	}
	f("", "")
	f("sec-webSOCKET-x: Y\r\nA_b: c\r\n", "sec-webSOCKET-x: Y\r\nA_b: c\r\n")
	f("TE: trailers\r\nConnection: TE, X-A\r\nX-A: 1\r\nTrailer: t\r\n", "Trailer: t\r\n")
	f("Content-Length: 5\r\nExpect: 100-continue\r\n", "Expect: 100-continue\r\nContent-Length: 5\r\n")
	f("Expect: 100-continue\r\n", "")
	f("Transfer-Encoding: chunked\r\n", "Transfer-Encoding: chunked\r\n")
	f("Via: 1.0 fred\r\nVia: 1.1 other\r\n", "Via: 1.0 fred\r\nVia: 1.1 other\r\n")
	f("X-Real-IP: 1.1.1.1\r\nX-Forwarded-Port: 1\r\n", "")
	all := netip.MustParsePrefix("0.0.0.0/0")
	f("X-Real-IP: 1.1.1.1\r\nX-Forwarded-Port: 1\r\n", "X-Real-IP: 1.1.1.1\r\nX-Forwarded-Port: 1\r\n", all)
	twins := "X_Forwarded_For: 6.6.6.6\r\nX-Forwarded_For: 6.6.6.6\r\nx_real_ip: 6.6.6.6\r\nX_Forwarded_Any: 1\r\nX_Request_Id: 1\r\nContent_Length: 1\r\nTransfer_Encoding: x\r\n"
	f(twins, "")
	f(twins, "", all)
	// Whatever is no WebSocket is an ordinary request.
	f("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n", "")
	f("Connection: Upgrade\r\nUpgrade: websocket\r\nUpgrade: h2c\r\n", "")
	f("Upgrade: websocket\r\n", "")
	f("Connection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n", "Connection: Upgrade\r\nUpgrade: websocket\r\n")
	f("Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 1\r\n", "Content-Length: 1\r\n")
}

// A request that comes back is known by the name that it was sent on with,
// whatever else stands in Via.
// What a header's values are together does not depend on how many lines they
// came in.
func TestHeaderValuesTogether(t *testing.T) {
	_, r := begun(t, "GET /api HTTP/1.1\r\nHost: h\r\nX-One: a\r\nX-Empty:\r\nx-two: a\r\nX-TWO:  b, c \r\n\r\n")
	h := &Header{Request: r}
	for name, values := range map[string]map[string]bool{
		"X-One":   {"a": true, "A": false, "": false, "a,": false, "a, b": false},
		"X-Two":   {"a, b, c": true, "a": false, "a, ": false, "a, b": false, "a,b, c": false, "b, c": false, "a, b, c, ": false},
		"X-Empty": {"": true, "a": false},
		"X-None":  {"": false},
	} {
		if got := h.Has(name); got != (name != "X-None") {
			t.Errorf("%s is there: %v", name, got)
		}
		for value, want := range values {
			if got := h.Is(name, value); got != want {
				t.Errorf("%s is %q: %v", name, value, got)
			}
			if joined := string(h.Join(nil, name)); want && joined != value {
				t.Errorf("%s joined is %q", name, joined)
			}
		}
	}
}

func TestVia(t *testing.T) {
	x, r := begun(t, "GET / HTTP/1.0\r\nHost: h\r\n\r\n")
	head := string(AppendRequestHead(nil, x, r))
	via := regexp.MustCompile("Via: 1.0 (rgate-[0-9A-Z]{16})\r\n").FindStringSubmatch(head)
	if via == nil {
		t.Fatalf("no Via in %q", head)
	}
	for fields, want := range map[string]bool{
		"Via: 1.1 a, 1.0 " + via[1] + ", 1.1 b\r\n": true,
		"via: 1.1 a\r\nVIA: 1.1 " + via[1] + "\r\n": true,
		"X-Via: 1.1 " + via[1] + "\r\n":             false,
		"Via: 1.1 a\r\n":                            false,
	} {
		if n, err := h1.ParseRequest([]byte("GET / HTTP/1.1\r\nHost: h\r\n"+fields+"\r\n"), h1.Limits{}, r); n == 0 || err != nil {
			t.Fatal(n, err)
		}
		if got := (&Header{Request: r}).Via(x.Pseudonym()); got != want {
			t.Errorf("%q: %v", fields, got)
		}
	}
}

// Every refusal of the parser has one answer, made once.
func TestRefusals(t *testing.T) {
	for _, e := range h1.Refusals() {
		a := Refusal(e)
		if a.Status != e.Status || a != Refusal(e) {
			t.Errorf("%s: %+v", e.Class, a)
		}
		if want := a.Status == 400; (a.Reason == proxy.ReasonBadRequest) != want {
			t.Errorf("%s: %d is %s", e.Class, a.Status, a.Reason)
		}
	}
}

func TestHeadsAllocateNothing(t *testing.T) {
	x, r := begun(t, "GET / HTTP/1.1\r\nHost: h\r\nVia: 1.1 a\r\nX-Other_Name: 1\r\nX_Real_IP: 1\r\nUser-Agent: x\r\n\r\n")
	p := &h1.Response{}
	if n, err := h1.ParseResponse([]byte("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nKeep-Alive: timeout=5\r\nA: b\r\n\r\n"), h1.Limits{}, r.Method, p); n == 0 || err != nil {
		t.Fatal(n, err)
	}
	x.Answer = AnswerCrowd
	buf, date := make([]byte, 0, 4096), []byte("Mon, 02 Jan 2006 15:04:05 GMT")
	if n := testing.AllocsPerRun(100, func() {
		AppendRequestHead(buf, x, r)
		AppendResponseHead(buf, x, p, Ending{}, date)
		AppendInterim(buf, x, p)
		AppendAnswer(buf, x, Ending{Close: true}, date)
		Refusal(h1.ErrHost)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
