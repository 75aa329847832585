//go:build linux

package conformance

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"rgate/internal/rig"
)

// An endpoint that says something on idle connections, as many do at their idle
// limit, answers nobody's next request with it, nor with what it answered before.
func TestWhatIsSaidUnaskedIsNobodysAnswer(t *testing.T) {
	t.Parallel()
	for _, engine := range rig.Ways {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			var said sync.Map // when, by what
			r := rig.Start(t, engine, nil, talkative(t, &said))
			var clients sync.WaitGroup
			for n := range 6 {
				clients.Go(func() {
					client := &http.Client{Transport: &http.Transport{DialContext: dialWay}, Timeout: 30 * time.Second}
					defer client.CloseIdleConnections()
					for i := range 60 {
						id := fmt.Sprintf("/%d-%d", n, i)
						asked := time.Now()
						status, body := ask(t, client, http.MethodGet, "http://"+r.Addr+id)
						// What is said in the very moment in which a request is on its
						// way is an answer to it for all that anybody can tell.
						if at, known := said.Load(body); known && at.(time.Time).Before(asked) {
							t.Errorf("%s was answered with what had been said before it was asked", id)
						} else if status != 408 && (status != 200 || body != id) {
							t.Errorf("%s got %d %q", id, status, body)
						}
						time.Sleep(rand.N(40 * time.Millisecond)) // any moment, before and after the endpoint speaks
					}
				})
			}
			clients.Wait()
		})
	}
}

// A 408 may have been said before the request came, which the endpoint then
// answers too: that answer must not become another request's.
func TestAConnectionEndsWithA408(t *testing.T) {
	for _, engine := range rig.Ways {
		t.Run(engine, func(t *testing.T) {
			next := make(chan struct{})
			r := rig.Start(t, engine, nil, accept(t, func(c net.Conn) {
				in := bufio.NewReader(c)
				for {
					request, err := http.ReadRequest(in)
					if err != nil {
						return
					}
					if request.URL.Path == "/first" {
						_, _ = io.WriteString(c, "HTTP/1.1 408 Request Timeout\r\nContent-Length: 7\r\n\r\nunasked")
						<-next
					}
					fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(request.URL.Path), request.URL.Path)
				}
			}))
			client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: dialWay}, Timeout: 30 * time.Second}
			if status, body := ask(t, client, http.MethodGet, "http://"+r.Addr+"/first"); status != 408 || body != "unasked" {
				t.Errorf("got %d %q", status, body)
			}
			time.AfterFunc(50*time.Millisecond, func() { close(next) }) // the next request may be there by then
			if status, body := ask(t, client, http.MethodGet, "http://"+r.Addr+"/second"); status != 200 || body != "/second" {
				t.Errorf("the next request got %d %q", status, body)
			}
		})
	}
}

// talkative answers each request with its path, and says something 20 ms later
// unless it is asked again until then.
func talkative(t *testing.T, said *sync.Map) string {
	var words atomic.Int32
	return accept(t, func(c net.Conn) {
		raw, err := c.(*net.TCPConn).SyscallConn()
		if err != nil {
			return
		}
		var speak *time.Timer
		in := bufio.NewReader(c)
		for {
			request, err := http.ReadRequest(in)
			if err != nil {
				return
			}
			if speak != nil {
				speak.Stop()
			}
			fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(request.URL.Path), request.URL.Path)
			speak = time.AfterFunc(20*time.Millisecond, func() {
				asked := false
				_ = raw.Control(func(fd uintptr) {
					var b [1]byte
					n, _, _ := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
					asked = n > 0
				})
				if !asked {
					word := fmt.Sprintf("word %d", words.Add(1))
					fmt.Fprintf(c, "HTTP/1.1 408 Request Timeout\r\nContent-Length: %d\r\n\r\n%s", len(word), word)
					said.Store(word, time.Now())
				}
			})
		}
	})
}

func ask(t *testing.T, client *http.Client, method, url string) (status int, body string) {
	var carries io.Reader
	if method == http.MethodPost {
		carries = strings.NewReader("some")
	}
	request, err := http.NewRequest(method, url, carries)
	if err != nil {
		t.Error(err)
		return 0, ""
	}
	response, err := client.Do(request)
	if err != nil {
		t.Error(err)
		return 0, ""
	}
	defer response.Body.Close()
	all, err := io.ReadAll(response.Body)
	if err != nil {
		t.Error(err)
	}
	return response.StatusCode, string(all)
}

// A POST is not sent on a connection that its endpoint may be closing: it could
// not be sent again.
func TestPostsToEndpointsThatCloseIdleConnections(t *testing.T) {
	t.Parallel()
	for _, engine := range rig.Ways {
		for _, limit := range []time.Duration{5, 20, 100, 300} {
			limit *= time.Millisecond
			t.Run(engine+"/"+limit.String(), func(t *testing.T) {
				s := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }))
				s.Config.IdleTimeout = limit
				s.Start()
				t.Cleanup(s.Close)
				r := rig.Start(t, engine, nil, s.Listener.Addr().String())
				posted, lost := posts(t, r.Addr, limit)
				t.Logf("%d of %d lost", lost, posted)
				if lost > 0 {
					t.Errorf("%d of %d POSTs got no answer", lost, posted)
				}
			})
		}
	}
}

// posts sends POSTs for a while, with pauses around limit.
func posts(t *testing.T, addr string, limit time.Duration) (posted, lost int32) {
	var all, bad atomic.Int32
	until := time.Now().Add(1500 * time.Millisecond)
	var clients sync.WaitGroup
	for range 8 {
		clients.Go(func() {
			client := &http.Client{Transport: &http.Transport{DialContext: dialWay}, Timeout: 30 * time.Second}
			defer client.CloseIdleConnections()
			for time.Now().Before(until) {
				all.Add(1)
				if status, _ := ask(t, client, http.MethodPost, "http://"+addr+"/"); status != 200 {
					bad.Add(1)
				}
				time.Sleep(rand.N(limit + limit/4))
			}
		})
	}
	clients.Wait()
	return all.Load(), bad.Load()
}
