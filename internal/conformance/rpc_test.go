//go:build linux

package conformance

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"rgate/internal/config"
	"rgate/internal/rig"
	"rgate/internal/rig/ends"
	"rgate/internal/wire"
)

// callHead is the head of a call of gRPC, as HTTP/2 has it in memory.
func callHead(path, fields string) string {
	return "POST " + path + " HTTP/1.1\r\nHost: h\r\nContent-Type: application/grpc\r\nTransfer-Encoding: chunked\r\n" + fields + "\r\n"
}

const aMessage = "7\r\n\x00\x00\x00\x00\x02hi\r\n0\r\n\r\n"

// status is what an answer to a call says, in its head or its trailer section.
func status(res *http.Response) string {
	return res.Header.Get("Grpc-Status") + res.Trailer.Get("Grpc-Status")
}

// rgate's own answers to calls are statuses of gRPC.
func TestCallsAreAnsweredInStatuses(t *testing.T) {
	perEngine(t, func(t *testing.T, engine string) {
		g := rig.Start(t, engine, func(c *config.Config) { c.Routes[0].PathPrefix = "/shop.Orders/" }, ends.Nobody)
		for path, want := range map[string]string{"/shop.Orders/List": "14 connect_failed", "/shop.Others/List": "12 no_route"} {
			c := dialClient(t, g.Addr)
			for range 2 {
				_, _ = io.WriteString(c, callHead(path, "")+aMessage)
				res, body := c.got()
				if got := status(res) + " " + res.Header.Get("X-Rgate-Reason"); got != want || res.StatusCode != 200 || body != "" || res.Header.Get("Content-Type") != "application/grpc" {
					t.Errorf("%s: %d, %s, %q", path, res.StatusCode, got, body)
				}
			}
		}
	})
}

// A call's time bounds it, the endpoint is told what is left, and what takes longer
// ends with a status, or in the middle.
func TestACallEndsInTime(t *testing.T) {
	left, over := make(chan string, 1), make(chan struct{}, 1)
	endpoint := ends.HTTP(t, func(w http.ResponseWriter, r *http.Request) {
		left <- r.Header.Get("Grpc-Timeout")
		if r.URL.Path == "/half" {
			fmt.Fprint(w, "half")
			w.(http.Flusher).Flush()
		}
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
		over <- struct{}{}
	})
	perEngine(t, func(t *testing.T, engine string) {
		g := rig.Start(t, engine, nil, endpoint)
		for _, path := range []string{"/none", "/half"} {
			c := dialClient(t, g.Addr)
			began := time.Now()
			_, _ = io.WriteString(c, callHead(path, "Grpc-Timeout: 200m\r\n")+aMessage)
			if told := <-left; !strings.HasSuffix(told, "u") && !strings.HasSuffix(told, "n") || told > "200000u" {
				t.Errorf("the endpoint is told %q", told)
			}
			res, err := http.ReadResponse(c.in, nil)
			if err != nil {
				t.Fatal(err)
			}
			_, err = io.ReadAll(res.Body)
			took := time.Since(began)
			<-over
			if path == "/none" && status(res) != "4" || path == "/half" && err == nil || took < 150*time.Millisecond || took > 10*time.Second {
				t.Errorf("%s: after %v %s, %v", path, took, status(res), err)
			}
		}
	})
}

// What an endpoint that is not available is asked is asked of another, where it can
// be said again.
func TestAnUnavailableEndpointIsLeft(t *testing.T) {
	answer := func(code, name string) string {
		return ends.HTTP(t, func(w http.ResponseWriter, r *http.Request) {
			b, _ := io.ReadAll(r.Body)
			w.Header().Set("Content-Type", "application/grpc")
			w.Header().Set("X-From", name)
			if code != "0" {
				w.Header().Set("Grpc-Status", code)
				return
			}
			w.Header().Set("Trailer", "Grpc-Status")
			_, _ = w.Write(b)
			w.Header().Set("Grpc-Status", "0")
		})
	}
	down, up := answer("14", "down"), answer("0", "up")
	perEngine(t, func(t *testing.T, engine string) {
		g := rig.Start(t, engine, func(c *config.Config) {
			c.Backends[0].Traffic.Balance = config.Balance{Policy: config.BalanceRoundRobin}
			c.Backends[0].Traffic.Eject.ServerErrors = 0
		}, down, up)
		c := dialClient(t, g.Addr)
		for i := range 3 {
			_, _ = io.WriteString(c, callHead("/x", "")+aMessage)
			if res, body := c.got(); status(res) != "0" || body != "\x00\x00\x00\x00\x02hi" {
				t.Errorf("call %d: %s from %s, %q", i, status(res), res.Header.Get("X-From"), body)
			}
		}
		// What is too long to be kept is told what the endpoint says.
		seen := map[string]bool{}
		for range 2 {
			_, _ = io.WriteString(c, callHead("/x", "")+"8000\r\n"+strings.Repeat("x", 0x8000)+"\r\n0\r\n\r\n")
			res, _ := c.got()
			seen[status(res)+res.Header.Get("X-From")] = true
		}
		if !seen["14down"] || !seen["0up"] {
			t.Errorf("long calls: %v", seen)
		}
		ends.Until(t, "all are counted", func() bool {
			s := g.Gate.Table().Routes[0].Targets[0].Stats.Snapshot().Classes()
			return s.Success == 4 && s.ServerError == 1
		})
	})
}

// A client of gRPC-Web is told in a body what gRPC says in a trailer section, and in
// base64 where it speaks that; its endpoint knows nothing of it.
func TestCallsOfTheWeb(t *testing.T) {
	endpoint := ends.HTTP(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		w.Header().Set("Content-Type", r.Header.Get("Content-Type"))
		if r.URL.Path == "/fails" {
			w.Header().Set("Grpc-Status", "5")
			return
		}
		w.Header().Set("Trailer", "Grpc-Status, Grpc-Message")
		_, _ = w.Write(b)
		w.(http.Flusher).Flush()
		_, _ = w.Write(b)
		w.Header().Set("Grpc-Status", "0")
		w.Header().Set("Grpc-Message", r.Header.Get("Content-Type"))
	})
	const message, end = "\x00\x00\x00\x00\x02hi", "grpc-message: application/grpc+proto\r\ngrpc-status: 0\r\n" // as net/http orders them
	whole := message + message + "\x80\x00\x00\x00" + string(rune(len(end))) + end
	perEngine(t, func(t *testing.T, engine string) {
		g := rig.Start(t, engine, func(c *config.Config) { c.Routes[0].GRPCWeb = true }, endpoint)
		c := dialClient(t, g.Addr)
		for _, kind := range []string{"application/grpc-web+proto", "application/grpc-web-text+proto"} {
			text := strings.Contains(kind, "text")
			sent := message
			if text {
				sent = base64.StdEncoding.EncodeToString([]byte(message[:4])) + base64.StdEncoding.EncodeToString([]byte(message[4:]))
			}
			for _, framing := range []string{fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(sent), sent), fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n3\r\n%s\r\n%x\r\n%s\r\n0\r\n\r\n", sent[:3], len(sent)-3, sent[3:])} {
				for _, path := range []string{"/works", "/fails"} {
					fmt.Fprintf(c, "POST %s HTTP/1.1\r\nHost: h\r\nContent-Type: %s\r\n%s", path, kind, framing)
					res, body := c.got()
					if text {
						plain, err := new(wire.WebText).Append(nil, []byte(body))
						if body = string(plain); err != nil {
							t.Error(err)
						}
					}
					want, code := whole, ""
					if path == "/fails" {
						want, code = "", "5"
					}
					if body != want || res.Header.Get("Grpc-Status") != code || len(res.Trailer) > 0 || res.Header.Get("Content-Type") != kind && code == "" {
						t.Errorf("%s, %s, %.20s: %v, %q, %v", kind, path, framing, res.Header, body, res.Trailer)
					}
				}
			}
		}
		fmt.Fprint(c, "POST / HTTP/1.1\r\nHost: h\r\nContent-Type: application/grpc-web-text\r\nContent-Length: 8\r\n\r\nno text!")
		if res, _ := c.got(); status(res) != "13" || res.Header.Get("Content-Type") != "application/grpc-web-text" {
			t.Errorf("what is no base64 is answered %v", res.Header)
		}
	})
}
