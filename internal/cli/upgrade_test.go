package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// load sends requests of each kind until the returned function is called, which
// answers how many went well and what went wrong.
func (p *process) load() (stop func() (well int, wrong []string)) {
	ctx, cancel := context.WithCancel(context.Background())
	var clients sync.WaitGroup
	var mu sync.Mutex
	well, wrong := 0, []string(nil)
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		for _, keep := range []bool{true, false} {
			clients.Go(func() {
				transport := &http.Transport{DisableKeepAlives: !keep, TLSClientConfig: p.tls}
				defer transport.CloseIdleConnections()
				pace := time.NewTicker(2 * time.Millisecond)
				defer pace.Stop()
				for ctx.Err() == nil {
					err := p.request(transport, method)
					mu.Lock()
					if err == nil {
						well++
					} else {
						wrong = append(wrong, fmt.Sprintf("%s keep-alive %v: %v", method, keep, err))
					}
					mu.Unlock()
					<-pace.C
				}
			})
		}
	}
	return func() (int, []string) {
		cancel()
		clients.Wait()
		return well, wrong
	}
}

// request sends one. That the client's transport had to send it twice, which
// others would not, is an error.
func (p *process) request(transport *http.Transport, method string) error {
	sent := 0
	trace := &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { sent++ }}
	var body io.Reader
	if method == http.MethodPost {
		body = strings.NewReader("a small body")
	}
	request, err := http.NewRequestWithContext(httptrace.WithClientTrace(context.Background(), trace), method, p.scheme()+"127.0.0.1:"+p.port+"/", body)
	if err != nil {
		return err
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	switch {
	case err != nil:
		return err
	case response.StatusCode != http.StatusOK || string(answer) != method:
		return fmt.Errorf("%s: %q", response.Status, answer)
	case sent > 1:
		return errors.New("it was sent twice")
	}
	return nil
}

// asking asks the admin socket all the time, until the returned function is
// called, which answers what went wrong.
func (p *process) asking() (stop func() (asked int, wrong []string)) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	asked, wrong := 0, []string(nil)
	go func() {
		defer close(done)
		c := client{socket: p.socket}
		pace := time.NewTicker(2 * time.Millisecond)
		defer pace.Stop()
		for ctx.Err() == nil {
			if _, err := c.ask(context.Background(), http.MethodGet, "/healthz"); err != nil {
				wrong = append(wrong, err.Error())
			}
			asked++
			<-pace.C
		}
	}()
	return func() (int, []string) {
		cancel()
		<-done
		return asked, wrong
	}
}

// words is an upgraded connection on which words come back.
type words struct {
	net.Conn
	r *bufio.Reader
}

func (p *process) webSocket() *words {
	p.t.Helper()
	conn, err := p.dial()
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	fmt.Fprint(conn, "GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
	w := &words{conn, bufio.NewReader(conn)}
	response, err := http.ReadResponse(w.r, nil)
	if err != nil || response.StatusCode != http.StatusSwitchingProtocols {
		p.t.Fatalf("no WebSocket: %v %+v", err, response)
	}
	return w
}

func (w *words) say(t *testing.T, word string) {
	t.Helper()
	fmt.Fprintln(w, word)
	if back, err := w.r.ReadString('\n'); err != nil || back != word+"\n" {
		t.Fatalf("%q came back as %q: %v", word, back, err)
	}
}

// Five upgrades under load cost no request and no command; a WebSocket that was
// open before them outlives them.
func TestUpgradesUnderLoad(t *testing.T) {
	for _, engine := range []string{"standard", "loop"} {
		t.Run(engine, func(t *testing.T) {
			p := spawn(t, spawned{config: static(engine, echo(t))})
			ws := p.webSocket()
			ws.say(t, "before")
			stopAsking, stopLoad := p.asking(), p.load()
			for n := range 5 {
				if n%2 == 0 {
					p.signalled()
				} else {
					p.upgrade()
				}
				ws.say(t, "after "+strconv.Itoa(n))
			}
			well, wrong := stopLoad()
			if len(wrong) > 0 || well < 20 {
				t.Errorf("%d requests went well, these did not:\n%s", well, strings.Join(wrong, "\n"))
			}
			if asked, wrong := stopAsking(); len(wrong) > 0 || asked < 5 {
				t.Errorf("%d commands were sent, these went wrong:\n%s", asked, strings.Join(wrong, "\n"))
			}
			all := p.generations()
			for _, pid := range all[1 : len(all)-1] {
				until(t, "a process that nobody needs any more ends", func() bool { return !alive(pid) })
			}
			if !alive(all[0]) {
				t.Error("the process that holds the WebSocket has ended")
			}
			ws.say(t, "last")
			_ = ws.Close()
			if err := <-p.ended; err != nil {
				t.Errorf("the first process ended: %v", err)
			}
		})
	}
}

// Nothing piles up from one process to the next, and what was drained by hand
// stays so.
func TestTwentyUpgrades(t *testing.T) {
	address := echo(t)
	p := spawn(t, spawned{config: static("standard", address)})
	rgate(t, "drain", address, "--socket", p.socket).want(t, 0)
	second := p.upgrade()
	until(t, "the first one ends", func() bool { return !alive(p.first.Process.Pid) })
	var kinds []string // once the line to the first one is closed, too
	until(t, "the descriptors settle", func() bool {
		before := kinds
		time.Sleep(50 * time.Millisecond)
		kinds = descriptors(t, second)
		return slices.Equal(before, kinds)
	})
	environ := func(pid int) string {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
		if err != nil {
			t.Fatal(err)
		}
		vars := strings.Split(string(text), "\x00")
		slices.Sort(vars)
		return strings.Join(vars, "\n")
	}
	env, last := environ(second), second
	for range 19 {
		last = p.upgrade()
	}
	var got []string
	until(t, "the descriptors are those of the second", func() bool { got = descriptors(t, last); return slices.Equal(got, kinds) || t.Failed() })
	if now := environ(last); now != env {
		t.Errorf("the environment was\n%s\nand became\n%s", env, now)
	}
	rgate(t, "routes", "--socket", p.socket).want(t, 0, "drained by hand")
	if err := syscall.Kill(last, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	until(t, "the last one ends", func() bool { return !alive(last) })
	if _, err := os.Stat(p.socket); err == nil {
		t.Error("the admin socket is still there")
	}
}
