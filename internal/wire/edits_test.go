package wire

import (
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"time"

	"rgate/internal/config"
	"rgate/internal/h1"
	"rgate/internal/proxy"
	"rgate/internal/route"
)

const editing = `
routes:
  - {path_prefix: /, backend: b, secure_headers: true, policies: [{headers: {response: {remove: [X-Node], set: {Retry-After: "9"}}}}]}
backends: [{name: b, endpoints: ["127.0.0.1:1"]}]
`

// editedExchange is one on whose answers policies have their say.
func editedExchange(t *testing.T) (*proxy.Exchange, *h1.Request) {
	t.Helper()
	cfg, err := config.Parse("config.yml", []byte(editing), nil)
	if err != nil {
		t.Fatal(err)
	}
	x, r := &proxy.Exchange{}, &h1.Request{}
	if n, err := h1.ParseRequest([]byte("GET / HTTP/1.1\r\nHost: h\r\n\r\n"), h1.Limits{}, r); n == 0 || err != nil {
		t.Fatal(n, err)
	}
	x.Method, x.Target, x.Host, x.Header = r.Method, Target(r), r.Host, &Header{Request: r}
	x.Peer, x.Start = netip.MustParseAddr("192.0.2.7"), time.Now()
	if v := proxy.NewGate(route.Build(cfg, nil, nil), slog.New(slog.DiscardHandler)).Begin(x); v != proxy.Forward {
		t.Fatalf("verdict %d", v)
	}
	return x, r
}

func answered(t *testing.T, r *h1.Request, raw string) *h1.Response {
	t.Helper()
	p := &h1.Response{}
	if n, err := h1.ParseResponse([]byte(raw), h1.Limits{}, r.Method, p); n == 0 || err != nil {
		t.Fatalf("%q: %d, %v", raw, n, err)
	}
	return p
}

// What is taken out of answers is not told by those of 1xx that go before.
func TestInterimAnswersAreEdited(t *testing.T) {
	x, r := editedExchange(t)
	p := answered(t, r, "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\nServer: mine\r\nX_Node: 7\r\nX-Node: 7\r\n\r\n")
	if got := string(AppendInterim(nil, x, p)); got != "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n" {
		t.Errorf("got %q", got)
	}
}

// A field that does not go on is none that the client has.
func TestWhatDoesNotGoOnIsSaid(t *testing.T) {
	x, r := editedExchange(t)
	x.HSTS = "max-age=1"
	p := answered(t, r, "HTTP/1.1 200 OK\r\nConnection: X-Frame-Options, Strict-Transport-Security\r\nX-Frame-Options: DENY\r\nStrict-Transport-Security: max-age=0\r\nContent-Length: 0\r\n\r\n")
	got, _ := AppendResponseHead(nil, x, p, Ending{}, []byte("now"))
	for _, want := range []string{"\r\nX-Frame-Options: SAMEORIGIN\r\n", "\r\nStrict-Transport-Security: max-age=1\r\n"} {
		if strings.Count(string(got), want) != 1 {
			t.Errorf("no %q in %q", want, got)
		}
	}
}

// Nor does rgate say twice what the file says.
func TestRetryAfterIsSaidOnce(t *testing.T) {
	x, _ := editedExchange(t)
	x.Answer = AnswerCrowd
	got := string(AppendAnswer(nil, x, Ending{}, []byte("now")))
	if strings.Count(got, "Retry-After") != 1 || !strings.Contains(got, "Retry-After: 9\r\n") {
		t.Errorf("got %q", got)
	}
}
