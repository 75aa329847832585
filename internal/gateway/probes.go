package gateway

import (
	"context"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"rgate/internal/config"
	"rgate/internal/upstream"
)

// hurried is the longest time between the probes that make up one verdict.
const hurried = 250 * time.Millisecond

// probes runs one prober for each endpoint whose backend has a health section.
type probes struct {
	running map[*upstream.Endpoint]prober
	judged  chan struct{} // gets a token at a verdict
	wait    sync.WaitGroup
}

func newProbes() probes {
	return probes{running: map[*upstream.Endpoint]prober{}, judged: make(chan struct{}, 1)}
}

type prober struct {
	rules config.Health
	end   context.CancelFunc
}

// follow starts and ends probers so that they are those of all that are wanted
// and checked.
func (p *probes) follow(ctx context.Context, wanted map[*upstream.Endpoint]config.Health) {
	maps.DeleteFunc(wanted, func(e *upstream.Endpoint, _ config.Health) bool { return !e.Checked() })
	for e, running := range p.running {
		if rules, ok := wanted[e]; !ok || rules != running.rules {
			running.end()
			delete(p.running, e)
		}
	}
	for e, rules := range wanted {
		if _, ok := p.running[e]; ok {
			continue
		}
		probing, end := context.WithCancel(ctx)
		p.running[e] = prober{rules, end}
		p.wait.Go(func() { p.probe(probing, e, rules) })
	}
}

// stop ends all probers and waits for them.
func (p *probes) stop() {
	for _, running := range p.running {
		running.end()
	}
	p.wait.Wait()
}

// probe asks e at each interval and marks it after so many answers in a row.
// The first probe goes at once, later ones are staggered by jitter, so that many
// endpoints are not probed in step.
func (p *probes) probe(ctx context.Context, e *upstream.Endpoint, rules config.Health) {
	good, bad := 0, 0
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		if err := ask(ctx, e, rules); err == nil {
			good, bad = good+1, 0
		} else {
			good, bad = 0, bad+1
		}
		if good == rules.HealthyAfter || bad == rules.UnhealthyAfter {
			e.MarkHealth(good > 0)
			select {
			case p.judged <- struct{}{}:
			default:
			}
		}
		timer.Reset(pause(rules, good, bad))
	}
}

// pause is the time to the next probe, with jitter. While a verdict is still
// being reached it is short: a new endpoint should not wait for traffic, nor a
// sick one keep it.
func pause(rules config.Health, good, bad int) time.Duration {
	interval := rules.Interval
	if good > 0 && good < rules.HealthyAfter || bad > 0 && bad < rules.UnhealthyAfter {
		interval = min(interval, hurried)
	}
	return interval*9/10 + time.Duration(rand.Int64N(int64(interval)/5+1))
}

// ask is one probe, on a connection of its own.
func ask(ctx context.Context, e *upstream.Endpoint, rules config.Health) error {
	transport, base := &http.Transport{DisableKeepAlives: true}, "http://"+e.Address
	if e.Link != nil {
		if err := speak(transport, e); err != nil {
			return err
		}
	}
	if e.Link.Secure() {
		base = "https://" + e.Address
	}
	client := &http.Client{Transport: transport, Timeout: rules.Timeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	if rules.GRPC.Asked {
		overHTTP2(transport)
		return askGRPC(ctx, client, base, rules.GRPC.Name)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, base+rules.Path, nil)
	if err != nil {
		return err
	}
	request.Header.Set("User-Agent", "rgate-health")
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 64<<10))
	if response.StatusCode != rules.Expect {
		return fmt.Errorf("status %d instead of %d", response.StatusCode, rules.Expect)
	}
	return nil
}

// speak has a transport speak to e as requests do.
func speak(t *http.Transport, e *upstream.Endpoint) (err error) {
	if e.Link.Secure() {
		if t.TLSClientConfig, err = e.Link.TLS(e.Host(), e.Address); err != nil {
			return err
		}
	}
	if e.Link.HTTP2() {
		overHTTP2(t)
	}
	if e.Link.Alone() {
		t.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := new(net.Dialer).DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			if err := e.Link.Introduce(conn, netip.AddrPort{}, netip.AddrPort{}); err != nil {
				_ = conn.Close()
				return nil, err
			}
			return conn, nil
		}
	}
	return nil
}
