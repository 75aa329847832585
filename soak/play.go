//go:build linux

package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"rgate/internal/enginetest"
	"rgate/internal/traffic"
	"rgate/soak/internal/report"
	"rgate/soak/internal/verdict"
)

// scenario is something that happens under load.
type scenario struct {
	name, title string
	deploy      bool   // part of the comparison
	private     bool   // wants an engine of its own
	handed      bool   // rgate is handed its listening socket
	secure      bool   // the load comes by HTTPS
	backend     string // more of its configuration, from a comma on
	eject       verdict.Eject
	fleet       []enginetest.RunOptions // what runs from the start
	disturb     func(*play)
}

// play is one scenario with one gateway.
type play struct {
	*stage
	house  *house
	plot   scenario
	engine *enginetest.Engine
	image  string
	label  string
	fleet  []*enginetest.Container
	*endings
	rgate *rgate // nil for another gateway
	moves string // rgate's engine
	shop  *shop  // nil without HTTPS
	front *gateway
}

// calm is the time of load before and after the disturbance.
const calm = time.Second

// play plays one scenario to its end and sums it up.
func (h *house) play(ctx context.Context, plot scenario, c contestant) report.Row {
	var row report.Row
	err := perform(ctx, h.dir, h.out, func(s *stage) {
		p := &play{stage: s, house: h, plot: plot, engine: h.engine, image: h.image, label: enginetest.Unique()}
		if plot.private {
			p.engine = enginetest.Private(s, enginetest.PrivateOptions{LiveRestore: true})
			p.image = p.engine.Build(s, enginetest.Image{})
		}
		p.endings = watchEndings(s, p.engine, p.label)
		for _, options := range plot.fleet {
			p.add(options)
		}
		for _, one := range p.fleet {
			p.awaitServing(one)
		}
		p.front = c.open(p)
		results := p.load()
		evidence := verdict.Evidence{Endings: p.endings.all(), Eject: plot.eject}
		if p.front.faults != nil {
			evidence.Faults = p.front.faults()
		}
		proofs := evidence.Judge(results)
		p.keepResults(c.name, results, proofs)
		row = report.Sum(results, proofs)
		if p.front.retries != nil {
			row.Retries = p.front.retries()
		}
	})
	row.Scenario, row.Title, row.Gateway = plot.name, plot.title, c.name
	if err != nil {
		row.Trouble = err.Error()
	}
	return row
}

// load sends while the disturbance runs, and for as long as was asked for.
func (p *play) load() (results []traffic.Result) {
	load := traffic.Start(p.front.address, p.front.trust, p.house.rate)
	running := true
	defer func() {
		if running { // broken off
			load.End()
		}
	}()
	over := time.Now().Add(time.Duration(p.house.seconds * float64(time.Second)))
	p.pause(calm)
	p.plot.disturb(p)
	p.pause(max(calm, time.Until(over)))
	running = false
	return load.End()
}

// openRgate starts rgate and waits until it knows the fleet.
func (p *play) openRgate(engine string) *gateway {
	p.moves = engine
	config := p.config()
	if p.plot.secure {
		p.shop = openShop(p.stage)
		config += p.shop.config()
	}
	p.rgate = newRgate(p.stage, p.house.binary, config)
	p.keep(p.rgate.dir, engine)
	if p.plot.handed {
		p.rgate.handed = listen(p.stage)
	}
	front := p.rgate.serve("rgate " + engine)
	if p.shop != nil {
		front.address, front.trust = p.shop.address, p.shop.trust
	}
	p.until("rgate knows all containers", func() bool { return p.rgate.ready() == len(p.fleet) })
	return front
}

// listen opens a socket that gateways can be handed.
func listen(s *stage) *os.File {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		s.Fatal(err)
	}
	defer l.Close()
	file, err := l.(*net.TCPListener).File()
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { _ = file.Close() })
	return file
}

func (p *play) config() string {
	return fmt.Sprintf("docker: {host: %q}\nroutes:\n  - {path_prefix: /, backend: app}\n"+
		"backends:\n  - {name: app, match_labels: [%s=%s]%s}\nengine: %s\n", p.engine.Host, fleetLabel, p.label, p.plot.backend, p.moves)
}

// keep copies what is in a gateway's directory to where it was asked for.
func (p *play) keep(dir, name string) {
	if p.house.settings.keep == "" {
		return
	}
	p.Cleanup(func() {
		to := filepath.Join(p.house.settings.keep, p.plot.name+"-"+name)
		_ = os.RemoveAll(to)
		_ = os.Remove(filepath.Join(dir, socketName)) // it cannot be copied
		if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
			p.Logf("cannot keep %s: %v", dir, err)
		}
	})
}

// keepResults keeps what did not go as it should, with its proof if any.
func (p *play) keepResults(name string, results []traffic.Result, proofs map[string]string) {
	if p.house.settings.keep == "" {
		return
	}
	var b strings.Builder
	for _, r := range results {
		if r.Err != nil || r.Retried {
			fmt.Fprintf(&b, "%s sent %s answered %s %s keep-alive %v status %d %s by %s retried %v proof %q: %v\n", r.ID, r.Sent.Format(stamp),
				r.Answered.Format(stamp), r.Method, r.Keep, r.Status, r.Reason, r.ServedBy, r.Retried, proofs[r.ID], r.Err)
		}
	}
	file := filepath.Join(p.house.settings.keep, p.plot.name+"-"+name+".txt")
	err := os.MkdirAll(p.house.settings.keep, 0o755)
	if err == nil {
		err = os.WriteFile(file, []byte(b.String()), 0o644)
	}
	if err != nil {
		p.Logf("cannot keep the results: %v", err)
	}
}

const stamp = "15:04:05.0000"

// add runs one more container.
func (p *play) add(o enginetest.RunOptions) *enginetest.Container {
	labels := map[string]string{fleetLabel: p.label}
	for key, value := range o.Labels {
		labels[key] = value
	}
	o.Image, o.Labels = p.image, labels
	c := p.engine.Run(p.stage, o)
	p.fleet = append(p.fleet, c)
	return c
}

// awaitServing waits as a deploy script does, which knows nothing of gateways:
// until the container is healthy, or accepts connections if it has no check.
func (p *play) awaitServing(c *enginetest.Container) {
	p.until(c.Name+" serves", func() bool {
		state := c.Inspect().State
		if state.Health != nil && state.Health.Status != "none" {
			return state.Health.Status == "healthy"
		}
		conn, err := net.DialTimeout("tcp", net.JoinHostPort(c.IP("bridge"), "8080"), time.Second)
		if err != nil {
			return false
		}
		_ = conn.Close()
		return true
	})
}

// remove stops a container as docker stop does, and removes it.
func (p *play) remove(c *enginetest.Container, timeout time.Duration) {
	c.Stop(timeout)
	c.Remove()
}
