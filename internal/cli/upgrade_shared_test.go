package cli

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// heirs is a request for /new that the process after an upgrade has in flight:
// the one before it accepts, too, for a moment.
func (p *process) heirs(asked chan string, may chan struct{}) *exchange {
	p.t.Helper()
	for {
		e := p.begin("GET /new HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
		<-asked
		body, err := (&client{socket: p.socket}).ask(p.t.Context(), http.MethodGet, "/stats?by=route")
		if err != nil {
			p.t.Fatal(err)
		}
		if strings.Contains(string(body), `"in_flight": 1`) {
			return e
		}
		may <- struct{}{}
		e.answered(p.t, "/new")
	}
}

// Clients that were kept by the process before an upgrade count for
// max_in_flight together with those of the new one, which come later.
func TestMaxInFlightHoldsForBothSidesOfAnUpgrade(t *testing.T) {
	for _, engine := range []string{"standard", "loop"} {
		t.Run(engine, func(t *testing.T) {
			asked, may := make(chan string, 100), make(chan struct{})
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked <- r.URL.Path
				if r.URL.Path == "/new" {
					<-may
				}
				fmt.Fprint(w, r.URL.Path)
			}))
			t.Cleanup(s.Close)
			p := spawn(t, spawned{config: static(engine, s.Listener.Addr().String()) + "max_in_flight: 1\nqueue: {size: 10, timeout: 1m}\n"})
			var kept []*exchange
			for range 10 {
				e := p.begin("GET /first HTTP/1.1\r\nHost: x\r\n\r\n")
				<-asked
				e.answered(t, "/first")
				kept = append(kept, e)
			}
			p.upgrade()
			next := p.heirs(asked, may)
			// Nothing says from outside when the old one has heard of it.
			waits := false
			for _, e := range kept {
				fmt.Fprint(e, "GET /kept HTTP/1.1\r\nHost: x\r\n\r\n")
				select {
				case <-asked:
					e.answered(t, "/kept")
					time.Sleep(200 * time.Millisecond)
					continue
				case <-time.After(500 * time.Millisecond):
				}
				waits = true
				may <- struct{}{}
				next.answered(t, "/new")
				e.answered(t, "/kept")
				break
			}
			if !waits {
				t.Error("one too many is in flight")
				may <- struct{}{}
			}
		})
	}
}
