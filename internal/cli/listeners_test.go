package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// with is static with listeners, each of which takes a free port.
func with(engine, address string, names ...string) string {
	var b strings.Builder
	for _, name := range names {
		fmt.Fprintf(&b, "  - {name: %s, address: '127.0.0.1:0'}\n", name)
	}
	return static(engine, address) + "listeners:\n" + b.String()
}

// at is p as who calls at a listener sees it, once it is there.
func (p *process) at(name string) *process {
	p.t.Helper()
	said := regexp.MustCompile(`msg="rgate listens" listener=` + name + ` address=127\.0\.0\.1:(\d+)`)
	other := *p
	until(p.t, "it listens at "+name, func() bool {
		all := said.FindAllStringSubmatch(p.said(), -1)
		if len(all) > 0 {
			other.port = all[len(all)-1][1]
		}
		return len(all) > 0
	})
	return &other
}

func (p *process) refuses() bool {
	c, err := net.DialTimeout("tcp", "127.0.0.1:"+p.port, time.Second)
	if err == nil {
		_ = c.Close()
	}
	return errors.Is(err, syscall.ECONNREFUSED)
}

// reconfigure has p serve by another configuration.
func (p *process) reconfigure(config string) answer {
	p.t.Helper()
	p.write("admin: {socket: " + p.socket + "}\n" + config)
	return rgate(p.t, "reload", "--socket", p.socket)
}

// lasting sends requests on one connection after the other, each for as long as
// it is kept, until nobody listens any more. It answers how many went well, and
// what else went wrong.
func (p *process) lasting() (ended func() (well int, wrong error)) {
	type outcome struct {
		well  int
		wrong error
	}
	done := make(chan outcome, 1)
	go func() {
		dials := 0
		transport := &http.Transport{TLSClientConfig: p.tls, DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			dials++
			return new(net.Dialer).DialContext(ctx, network, address)
		}}
		defer transport.CloseIdleConnections()
		pace := time.NewTicker(2 * time.Millisecond)
		defer pace.Stop()
		for well := 0; ; well++ {
			before := dials
			err := p.request(transport, http.MethodPost)
			// The kernel resets a new connection that comes between the last look at
			// the queue and the closing. None that was in use may be.
			if errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.ECONNRESET) && dials > before {
				done <- outcome{well: well}
				return
			}
			if err != nil {
				done <- outcome{well, err}
				return
			}
			<-pace.C
		}
	}()
	return func() (int, error) { o := <-done; return o.well, o.wrong }
}

// A reload opens and closes listeners, and nobody loses a request by it.
func TestListenersComeAndGo(t *testing.T) {
	for _, engine := range []string{"standard", "loop"} {
		t.Run(engine, func(t *testing.T) {
			address := echo(t)
			p := spawn(t, spawned{config: with(engine, address, "second")})
			second := p.at("second")
			second.serve()
			stop, stopSecond := p.load(), second.load()
			for n := range 3 {
				name := fmt.Sprintf("third%d", n)
				p.reconfigure(with(engine, address, name, "second")).want(t, 0, "reloaded\n")
				third := p.at(name)
				third.serve()
				ws := third.webSocket()
				ended := third.lasting()
				p.reconfigure(with(engine, address, "second")).want(t, 0, "reloaded\n")
				if _, err := net.DialTimeout("tcp", "127.0.0.1:"+third.port, time.Minute); !errors.Is(err, syscall.ECONNREFUSED) {
					t.Errorf("it listens though the reload is over: %v", err)
				}
				if well, err := ended(); err != nil {
					t.Errorf("at a listener that went, after %d requests: %v", well, err)
				}
				ws.say(t, "still here")
				_ = ws.Close()
			}
			for _, stop := range []func() (int, []string){stop, stopSecond} {
				if well, wrong := stop(); len(wrong) > 0 || well < 20 {
					t.Errorf("%d requests went well, these did not:\n%s", well, strings.Join(wrong, "\n"))
				}
			}
		})
	}
}

// A reload that cannot have all its listeners has none, and nothing else of it.
func TestAReloadThatCannotListen(t *testing.T) {
	address := echo(t)
	_, taken := listening(t)
	p := spawn(t, spawned{config: with("auto", address, "second")})
	second := p.at("second")
	bad := "listeners:\n  - {name: fresh, address: '127.0.0.1:0'}\n  - {name: taken, address: '" + taken + "'}\n"
	p.reconfigure(static("auto", "127.0.0.1:1")+bad).want(t, 2, "c.yml:8:28: cannot listen on "+taken+": bind: address already in use (is another program on that port?)")
	p.serve()
	second.serve()
	if strings.Contains(p.said(), "listener=fresh") || strings.Contains(p.said(), "listens no more") {
		t.Error("some of it is in place")
	}
	p.reconfigure(static("auto", address)+"listeners: [{name: wide, address: ':"+second.port+"'}]").want(t, 2, "(rgate itself listens on 127.0.0.1:"+second.port+" as yet: first remove that one")
	p.reconfigure(static("auto", address)+"listeners: [{name: again, address: '127.0.0.1:"+p.port+"'}]").want(t, 2, "c.yml:6:36: `127.0.0.1:"+p.port+"` cannot be listened on beside")
}

// Upgrades pass all listeners on, open what is new, and close what is not wanted
// any more; nobody loses a request by it.
func TestUpgradesOfListenersUnderLoad(t *testing.T) {
	for _, engine := range []string{"standard", "loop"} {
		t.Run(engine, func(t *testing.T) {
			address := echo(t)
			p := spawn(t, spawned{config: with(engine, address, "second", "goes0")})
			second := p.at("second")
			stop, stopSecond := p.load(), second.load()
			for n := range 3 {
				goes := p.at(fmt.Sprintf("goes%d", n))
				ended := goes.lasting()
				next := fmt.Sprintf("goes%d", n+1)
				p.write("admin: {socket: " + p.socket + "}\n" + with(engine, address, next, "second"))
				p.upgrade()
				p.at(next).serve()
				until(t, "nobody listens there any more", goes.refuses)
				if well, err := ended(); err != nil {
					t.Errorf("at a listener that went, after %d requests: %v", well, err)
				}
			}
			for _, stop := range []func() (int, []string){stop, stopSecond} {
				if well, wrong := stop(); len(wrong) > 0 || well < 20 {
					t.Errorf("%d requests went well, these did not:\n%s", well, strings.Join(wrong, "\n"))
				}
			}
			if now := p.at("second"); now.port != second.port {
				t.Errorf("it was on port %s and is on %s", second.port, now.port)
			}
		})
	}
}

// An upgrade that fails leaves all listeners to the process that has them.
func TestAnUpgradeThatCannotListen(t *testing.T) {
	address := echo(t)
	_, taken := listening(t)
	p := spawn(t, spawned{config: with("auto", address, "second", "third")})
	second, third := p.at("second"), p.at("third")
	p.write("admin: {socket: " + p.socket + "}\n" + with("auto", address, "second") + "  - {name: taken, address: '" + taken + "'}\n")
	rgate(t, "upgrade", "--socket", p.socket).want(t, 1, "cannot upgrade: ", "cannot listen on "+taken)
	for _, one := range []*process{p, second, third} {
		one.serve()
	}
}

// An older release knows of one listener, which has no name.
func TestAPredecessorOfOneListener(t *testing.T) {
	f, address := listening(t)
	ends, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	ours, theirs := os.NewFile(uintptr(ends[0]), "ours"), os.NewFile(uintptr(ends[1]), "theirs")
	defer ours.Close()
	p := spawn(t, spawned{
		config: with("auto", echo(t), "second"), listen: "none",
		shell: `LISTEN_FDS=1 RGATE_PREDECESSOR=4:5 exec "$0" "$@" 5>&2`, files: []*os.File{f, theirs},
	})
	_ = theirs.Close()
	if got := "127.0.0.1:" + p.port; got != address {
		t.Errorf("it serves at %s instead of %s", got, address)
	}
	word := make([]byte, 6)
	if _, err := ours.Read(word); err != nil || string(word) != "ready\n" {
		t.Errorf("%q %v", word, err)
	}
	p.serve()
	p.at("second").serve()
}

// Sockets of systemd go by their names.
func TestSocketsThatArePassed(t *testing.T) {
	inner, innerAt := listening(t)
	web, webAt := listening(t)
	p := spawn(t, spawned{
		config: with("auto", echo(t), "inner", "own"), listen: "none",
		shell: `LISTEN_PID=$$ LISTEN_FDS=2 LISTEN_FDNAMES=inner:web exec "$0" "$@"`, files: []*os.File{inner, web},
	})
	if at := "127.0.0.1:" + p.port; at != webAt {
		t.Errorf("the first listens on %s instead of %s", at, webAt)
	}
	if at := "127.0.0.1:" + p.at("inner").port; at != innerAt {
		t.Errorf("the inner one listens on %s instead of %s", at, innerAt)
	}
	p.upgrade()
	for _, one := range []*process{p, p.at("inner"), p.at("own")} {
		one.serve()
	}
}

func TestListenersThatCannotBe(t *testing.T) {
	path := file(t, static("auto", "127.0.0.1:1")+"listeners:\n  - address: '127.0.0.1:8099'\n")
	rgate(t, "--config", path, "--port", "8099").want(t, exitUsage,
		path+":6:14: `127.0.0.1:8099` cannot be listened on beside `:8099`, where rgate listens anyway",
		"6 |   - address: '127.0.0.1:8099'\n   |              ^^^^^^^^^^^^^^^^", "`:8099` is port 8099 of every address", "--port")
	rgate(t, "check", "-c", path).want(t, 0, "1 route, 1 backend, 1 listener beside the first\n")
}
