package cli

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"
)

// slow is a backend that says it is asked, and answers with what it was sent
// once it may.
type slow struct {
	address string
	asked   chan string   // paths
	may     chan struct{} // closed
}

func newSlow(t *testing.T) *slow {
	t.Helper()
	s := &slow{asked: make(chan string, 100), may: make(chan struct{})}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.asked <- r.URL.Path
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		select {
		case <-s.may:
		case <-r.Context().Done():
		}
		fmt.Fprint(w, r.URL.Path, string(body))
	}))
	t.Cleanup(func() { server.CloseClientConnections(); server.Close() })
	s.address = server.Listener.Addr().String()
	return s
}

// exchange is a request under way on a connection of its own.
type exchange struct {
	net.Conn
	r *bufio.Reader
}

func (p *process) begin(head string) *exchange {
	p.t.Helper()
	conn, err := net.Dial("tcp", "127.0.0.1:"+p.port)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	fmt.Fprint(conn, head)
	return &exchange{conn, bufio.NewReader(conn)}
}

func (e *exchange) answered(t *testing.T, want string) {
	t.Helper()
	response, err := http.ReadResponse(e.r, nil)
	if err != nil {
		t.Errorf("%s: %v", want, err)
		return
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != 200 || string(body) != want {
		t.Errorf("%s: %s %q, %v", want, response.Status, body, err)
	}
}

// What an upgrade finds under way takes as long as it takes: a slow answer, who
// queues for a place, an upload. drain_timeout is for an end.
func TestExchangesOutliveAnUpgrade(t *testing.T) {
	const drain = 300 * time.Millisecond
	for _, engine := range []string{"standard", "loop"} {
		t.Run(engine, func(t *testing.T) {
			s := newSlow(t)
			p := spawn(t, spawned{config: static(engine, s.address) + "drain_timeout: 300ms\nmax_in_flight: 2\nqueue: {size: 10, timeout: 1m}\n"})
			answer := p.begin("GET /answer HTTP/1.1\r\nHost: x\r\n\r\n")
			<-s.asked
			upload := p.begin("POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nslow")
			<-s.asked
			queued := p.begin("GET /queued HTTP/1.1\r\nHost: x\r\n\r\n")
			until(t, "it waits in the queue", func() bool {
				body, err := (&client{socket: p.socket}).ask(t.Context(), http.MethodGet, "/stats?by=route")
				return err == nil && strings.Contains(string(body), `"in_flight": 3`)
			})
			p.upgrade()
			time.Sleep(4 * drain)
			fmt.Fprint(upload, " body")
			time.Sleep(drain)
			close(s.may)
			answer.answered(t, "/answer")
			upload.answered(t, "/uploadslow body")
			queued.answered(t, "/queued")
			for _, e := range []*exchange{answer, upload, queued} {
				_ = e.Close()
			}
			if err := <-p.ended; err != nil {
				t.Errorf("the first process ended: %v", err)
			}
		})
	}
}

// A process that drains after an upgrade and is told to end does so within
// drain_timeout, as any other.
func TestAnEndAfterAnUpgrade(t *testing.T) {
	s := newSlow(t)
	p := spawn(t, spawned{config: static("auto", s.address) + "drain_timeout: 100ms\n"})
	p.begin("GET /answer HTTP/1.1\r\nHost: x\r\n\r\n")
	<-s.asked
	p.upgrade()
	if err := syscall.Kill(p.first.Process.Pid, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := <-p.ended; err != nil {
		t.Errorf("it ended with %v", err)
	}
	if said := p.said(); !strings.Contains(said, "told to end while it drains") || !strings.Contains(said, "were cut") {
		t.Error("it does not say what it cut")
	}
}

// max_in_flight holds for all processes together, however many upgrades ago
// an exchange began.
func TestMaxInFlightHoldsOverUpgrades(t *testing.T) {
	for _, engine := range []string{"standard", "loop"} {
		for upgrades := range 3 {
			t.Run(fmt.Sprint(engine, " ", upgrades), func(t *testing.T) {
				s := newSlow(t)
				p := spawn(t, spawned{config: static(engine, s.address) + "max_in_flight: 2\nqueue: {size: 10, timeout: 1m}\n"})
				var all []*exchange
				for range 2 {
					all = append(all, p.begin("GET /old HTTP/1.1\r\nHost: x\r\n\r\n"))
					<-s.asked
				}
				for range upgrades {
					p.upgrade()
				}
				queued := p.begin("GET /new HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
				select {
				case <-s.asked:
					t.Error("one too many is in flight")
				case <-time.After(500 * time.Millisecond):
				}
				close(s.may)
				queued.answered(t, "/new")
				for _, e := range all {
					e.answered(t, "/old")
					_ = e.Close()
				}
				if pids := p.generations(); len(pids) != upgrades+1 {
					t.Errorf("generations: %v", pids)
				} else {
					for _, pid := range pids[:upgrades] {
						until(t, "who has nothing to do any more ends", func() bool { return !alive(pid) })
					}
				}
			})
		}
	}
}
