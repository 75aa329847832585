package proxy

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"rgate/internal/upstream"
)

// call is a request of gRPC.
func call(target string, header fields) *Exchange {
	x := request("POST", target)
	if header == nil {
		header = fields{}
	}
	if header["Content-Type"] == nil {
		header["Content-Type"] = []string{"application/grpc"}
	}
	x.Header = header
	return x
}

func TestWhatIsACall(t *testing.T) {
	g, _ := gateOf(t, one)
	for kind, want := range map[string]RPC{
		"application/grpc": GRPC, "application/grpc+proto": GRPC, "application/grpc;a=b": GRPC,
		"application/grpc-web": GRPCWeb, "application/grpc-web+proto": GRPCWeb,
		"application/grpc-web-text": GRPCWebText, "application/grpc-web-text+proto": GRPCWebText,
		"application/grpcx": NoRPC, "application/grpc-webs": NoRPC, "application/json": NoRPC, "": NoRPC,
	} {
		x := call("/api", fields{"Content-Type": {kind}})
		g.Begin(x)
		x.End(upstream.Canceled, x.Start)
		if x.RPC != want {
			t.Errorf("%q is %d", kind, x.RPC)
		}
	}
	x := call("/api", nil)
	x.Method = []byte("GET")
	if g.Begin(x); x.RPC != NoRPC {
		t.Error("a GET is a call")
	}
}

// told are the status and message that a call is answered with.
func told(a *Answer) string {
	var all []string
	for _, f := range a.Fields {
		all = append(all, f[0]+": "+f[1])
	}
	return fmt.Sprintf("%d %s %s", a.Status, a.ContentType, strings.Join(all, ", "))
}

func TestAnswersToCallsAreStatuses(t *testing.T) {
	g, _ := gateOf(t, two)
	for _, c := range []struct {
		answer *Answer
		code   int
	}{
		{answerNoEndpoint, 14}, {answerOverload, 14}, {answerConnect, 14}, {answerInvalid, 14}, {answerTimeout, 4}, {answerDeadline, 4},
		{plain(429, "r", "x\n"), 8}, {plain(401, "r", "x\n"), 16}, {plain(403, "r", "x\n"), 7}, {plain(413, "r", "x\n"), 8},
		{BadRequest("x"), 13}, {plain(404, "r", "x\n"), 12}, {answerLoop, 2}, {methodNotAllowed([]string{"GET"}), 12}, {plain(501, "r", "x\n"), 12},
	} {
		x := call("/api", fields{"Content-Type": {"application/grpc+proto;x"}, "Accept": {"application/json"}})
		g.Begin(x)
		x.Deny(c.answer)
		want := fmt.Sprintf("200 application/grpc+proto Grpc-Status: %d, Grpc-Message: %s", c.code, strings.TrimSpace(string(c.answer.Body)))
		if got := told(x.Answer); got != want || x.Status != c.answer.Status || x.Answer.Reason != c.answer.Reason || len(x.Answer.Body) > 0 {
			t.Errorf("%q instead of %q; it counts as %d", got, want, x.Status)
		}
		x.End(upstream.Canceled, x.Start)
	}
	x := call("/nowhere", nil)
	if g.Begin(x); told(x.Answer) != "200 application/grpc Grpc-Status: 12, Grpc-Message: no route takes this method" || x.Status != 404 {
		t.Errorf("no route: %s, counts as %d", told(x.Answer), x.Status)
	}
	x.End(upstream.None, x.Start)
	x = call("/api", nil)
	g.Begin(x)
	x.Deny(plain(503, "r", "50% of “all”\n\tgone"))
	if got := x.Answer.Fields[1][1]; got != "50%25 of %E2%80%9Call%E2%80%9D%0A%09gone" {
		t.Errorf("the message is %q", got)
	}
	x.Deny(&Answer{Status: 200, Body: []byte("a page")})
	if len(x.Answer.Body) == 0 {
		t.Error("what is no fault is told as one")
	}
	x.End(upstream.Canceled, x.Start)
	balanced(t, g)
}

func TestTimeOfACall(t *testing.T) {
	g, _ := gateOf(t, one)
	bounded, _ := gateOf(t, "timeouts: {grpc: 10s}\n"+one)
	for said, want := range map[string]time.Duration{
		"1S": time.Second, "99999999n": 99999999, "2m": 2 * time.Millisecond, "3u": 3 * time.Microsecond, "1H": time.Hour, "2M": 2 * time.Minute,
		"0n": 0, "99999999H": longestTimeout, "": -1, "1": -1, "S": -1, "123456789S": -1, "1s": -1, "-1S": -1, "1.5S": -1, "1 S": -1,
	} {
		for gate, most := range map[*Gate]time.Duration{g: longestTimeout, bounded: 10 * time.Second} {
			x := call("/api", fields{"Grpc-Timeout": {said}})
			v := gate.Begin(x)
			x.End(upstream.Canceled, x.Start)
			switch {
			case want < 0 && (v != Reply || told(x.Answer) != "200 application/grpc Grpc-Status: 13, Grpc-Message: malformed grpc-timeout"):
				t.Errorf("%q: %v", said, v)
			case want >= 0 && x.Deadline.Sub(x.Start) != min(want, most):
				t.Errorf("%q is %v", said, x.Deadline.Sub(x.Start))
			}
		}
	}
	for gate, want := range map[*Gate]bool{g: true, bounded: false} {
		x := call("/api", nil)
		gate.Begin(x)
		if x.Deadline.IsZero() != want {
			t.Errorf("without a timeout: %v", x.Deadline)
		}
		x.End(upstream.Canceled, x.Start)
	}
	for left, want := range map[time.Duration]string{
		-1: "0n", 5: "5n", 99999999: "99999999n", 100 * time.Millisecond: "100000u", time.Minute: "60000000u",
		time.Hour: "3600000m", 100 * time.Hour: "360000S", longestTimeout: "876000H",
	} {
		now := time.Now()
		x := &Exchange{Deadline: now.Add(left)}
		if got := string(x.AppendTimeout(nil, now)); got != want {
			t.Errorf("%v is %q", left, got)
		}
	}
}

// An endpoint that says it is not available has the call tried elsewhere, where it
// can be sent again and there is an elsewhere; and it speaks against the endpoint.
func TestRefusedCalls(t *testing.T) {
	const ejecting = "retries: 1\neject: {server_errors: 1, base: 1m, max: 1m}\n"
	for _, c := range []struct {
		config, code string
		untouched    bool
		again        bool
	}{{two, "14", true, true}, {one, "14", true, false}, {two, "14", false, false}, {two, "13", true, false}, {"retries: 0\n" + two, "14", true, false}} {
		g, _ := gateOf(t, strings.Replace(ejecting+c.config, "retries: 1\neject", "eject", strings.Count(c.config, "retries")))
		x := call("/api", nil)
		g.Begin(x)
		first := x.Next(upstream.None, time.Now())
		again := x.Refused([]byte(c.code), c.untouched, time.Now())
		if again != c.again {
			t.Errorf("%+v: again %v", c, again)
		}
		if again {
			second := x.Next(upstream.Refused, time.Now())
			if second == nil || second == first || first.State() == "ready" {
				t.Errorf("after %s, which is %s, comes %v", first.Name, first.State(), second)
			}
			if x.Refused([]byte(c.code), true, time.Now()) {
				t.Error("a third attempt")
			}
		}
		x.Head(200)
		x.Said([]byte(c.code))
		x.End(upstream.Answered, time.Now())
		if report := g.Table().Routes[0].Targets[0].Stats.Snapshot(); report.Error() != 1 || report.Success() != 0 {
			t.Errorf("%+v counts as %+v", c, report.Classes())
		}
		balanced(t, g)
	}
}

// Codes count as the statuses that stand for them; of an endpoint only one speaks
// ill.
func TestCodesCount(t *testing.T) {
	for code, want := range map[string]int{"0": 2, "3": 4, "5": 4, "12": 5, "13": 5, "14": 5, "2": 5, "16": 4, "17": 5, "x": 5, "": 5} {
		g, _ := gateOf(t, "eject: {server_errors: 1, base: 1m, max: 1m}\n"+two)
		x := call("/api", nil)
		g.Begin(x)
		e := x.Next(upstream.None, time.Now())
		x.Head(200)
		x.Said([]byte(code))
		x.End(upstream.Answered, time.Now())
		s := g.Table().Routes[0].Targets[0].Stats.Snapshot().Classes()
		if got := map[int]uint64{2: s.Success, 4: s.ClientError, 5: s.ServerError}[want]; got != 1 {
			t.Errorf("%q counts as %+v", code, s)
		}
		if ejected := e.State() != "ready"; ejected != (code == "14") {
			t.Errorf("after %q the endpoint is %s", code, e.State())
		}
	}
}

// What the file has rgate say is no fault of a call either.
func TestAnAnswerOfTheFileToACallIsNotLogged(t *testing.T) {
	g, log := gateOf(t, "routes: [{path_prefix: /gone, respond: {status: 410}}]\n")
	x := call("/gone", nil)
	if g.Begin(x) != Reply || !strings.Contains(told(x.Answer), "Grpc-Status") {
		t.Fatalf("told %+v", x.Answer)
	}
	if x.End(upstream.None, x.Start); log.String() != "" {
		t.Errorf("the log has %s", log)
	}
}
