//go:build linux

package main

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"rgate/internal/enginetest"
	"rgate/soak/internal/verdict"
)

const (
	stopTimeout = 10 * time.Second       // docker stop's own
	deployPause = 500 * time.Millisecond // a deploy script's, from a new container that serves to the stop of an old one
)

// turnLabel tells apart the containers that relabels goes between.
const turnLabel = "soak.turn"

// plain is so many containers with these options.
func plain(n int, o enginetest.RunOptions) []enginetest.RunOptions {
	fleet := make([]enginetest.RunOptions, n)
	for i := range fleet {
		fleet[i] = o
	}
	return fleet
}

func with(args ...string) enginetest.RunOptions { return enginetest.RunOptions{Args: args} }

func allScenarios() []scenario {
	none := enginetest.RunOptions{}
	checked := enginetest.RunOptions{Health: true, Args: []string{"-unhealthy-for", "1s"}}
	blue := enginetest.RunOptions{Labels: map[string]string{"rgate.generation": "blue"}}
	slow := []enginetest.RunOptions{
		with("-term-for", "2s"), with("-term-for", "2s"), with("-ignore-term"), {StopSignal: "SIGQUIT"},
	}
	turns := []enginetest.RunOptions{{Labels: map[string]string{turnLabel: "0"}}, {Labels: map[string]string{turnLabel: "1"}}}
	return []scenario{
		{name: "rolling", title: "4 containers replaced one by one", deploy: true, fleet: plain(4, none),
			disturb: func(p *play) { p.roll(none, stopTimeout) }},
		{name: "rolling-healthcheck", title: "the same with HEALTHCHECK, unhealthy at first", deploy: true, fleet: plain(4, checked),
			disturb: func(p *play) { p.roll(checked, stopTimeout) }},
		{name: "rolling-slow-stop", title: "servers that go on after SIGTERM, or have another StopSignal, replaced", deploy: true, fleet: slow,
			disturb: func(p *play) { p.roll(none, 3*time.Second) }},
		{name: "blue-green", title: "blue/green by labels", deploy: true, fleet: plain(2, blue),
			backend: ", generation_label: rgate.generation", disturb: blueGreen},
		{name: "kill", title: "`docker kill -s KILL` of 1 of 4 each second, restarted", fleet: plain(4, none), disturb: kill},
		{name: "pause", title: "1 of 4 paused for 2 s", fleet: plain(4, none), disturb: pauseOne},
		{name: "listens-late", title: "a container that listens 3 s after its start", fleet: plain(2, none), disturb: listensLate},
		{name: "fails-at-first", title: "a container that answers 500 for 5 s (`eject: {server_errors: 3}`)", fleet: plain(3, none),
			backend: ", eject: {server_errors: 3}", eject: verdict.Eject{After: 3, Base: time.Second}, disturb: failsAtFirst},
		{name: "network", title: "1 of 4 off its network for 5 s", fleet: plain(4, none), disturb: network},
		{name: "scale", title: "scaled 1→8→1", fleet: plain(1, none), disturb: scale},
		{name: "engine-restart", title: "the Docker daemon restarts (`live-restore`)", private: true, fleet: plain(2, none),
			disturb: func(p *play) { p.engine.Restart(p.stage) }},
		{name: "reloads", title: "100 reloads, with a WebSocket that lives on", fleet: plain(2, none), disturb: reloads},
		{name: "relabels", title: "100 reloads that alternate between two labels", fleet: turns, disturb: relabels},
		{name: "certificates", title: "100 certificates one after the other, over HTTPS", secure: true, fleet: plain(2, none), disturb: certificates},
		{name: "rolling-https", title: "4 containers replaced one by one, over HTTPS", secure: true, fleet: plain(4, none),
			disturb: func(p *play) { p.roll(none, stopTimeout) }},
		{name: "upgrades-https", title: "20 binary upgrades (SIGUSR2), over HTTPS", secure: true, fleet: plain(2, none), disturb: upgrades},
		{name: "upgrades", title: "20 binary upgrades (SIGUSR2)", fleet: plain(2, none), disturb: upgrades},
		{name: "takeover", title: "SIGTERM while a second rgate on the same socket takes over", fleet: plain(2, none), handed: true, disturb: takeOver},
	}
}

// roll replaces the fleet one by one, a new container before an old one goes.
func (p *play) roll(o enginetest.RunOptions, timeout time.Duration) {
	for _, old := range p.fleet {
		p.awaitServing(p.add(o))
		p.pause(deployPause)
		p.remove(old, timeout)
	}
}

// blueGreen starts a new generation and then stops the old one.
func blueGreen(p *play) {
	old := p.fleet
	for range old {
		p.awaitServing(p.add(enginetest.RunOptions{Labels: map[string]string{"rgate.generation": "green"}}))
	}
	p.pause(deployPause)
	for _, c := range old {
		p.remove(c, stopTimeout)
	}
}

func kill(p *play) {
	const times = 6
	for i := range times {
		next := time.Now().Add(time.Second)
		c := p.fleet[i%len(p.fleet)]
		c.Kill("KILL")
		c.Start()
		p.pause(time.Until(next))
	}
}

func pauseOne(p *play) {
	p.fleet[0].Pause()
	p.pause(2 * time.Second)
	p.fleet[0].Unpause()
}

func listensLate(p *play) {
	late := p.add(with("-listen-after", "3s"))
	p.awaitServing(late)
	p.pause(deployPause)
	p.remove(p.fleet[0], stopTimeout)
}

func failsAtFirst(p *play) {
	p.add(with("-fail-for", "5s"))
	p.pause(7 * time.Second)
}

func network(p *play) {
	p.fleet[0].Disconnect("bridge")
	p.cutOff(p.fleet[0].Name)
	p.pause(5 * time.Second)
	p.fleet[0].Connect("bridge")
	p.awaitServing(p.fleet[0])
}

func scale(p *play) {
	one := p.fleet[0]
	for range 7 {
		p.add(enginetest.RunOptions{})
	}
	for _, c := range p.fleet {
		p.awaitServing(c)
	}
	p.pause(deployPause)
	for _, c := range p.fleet {
		if c != one {
			p.remove(c, stopTimeout)
		}
	}
}

func reloads(p *play) {
	const times = 100
	ws := p.openWebSocket()
	for i := range times {
		p.rgate.write(fmt.Sprintf("%sdefault_response: {body: \"reload %d\"}\n", p.rgate.config, i))
		var answer struct{ Status string }
		if err := p.rgate.ask(http.MethodPost, "/reload", &answer); err != nil {
			p.Fatalf("cannot reload: %v", err)
		}
		p.pause(40 * time.Millisecond)
	}
	ws.close()
}

// relabels goes from one container to another by the label that is asked for.
func relabels(p *play) {
	const times = 100
	own := fmt.Sprintf("match_labels: [%s=%s]", fleetLabel, p.label)
	if !strings.Contains(p.rgate.config, own) {
		p.Fatalf("no %s in the configuration:\n%s", own, p.rgate.config)
	}
	for i := range times {
		p.rgate.write(strings.Replace(p.rgate.config, own, fmt.Sprintf("match_labels: [%s=%s, %s=%d]", fleetLabel, p.label, turnLabel, i%2), 1))
		var answer struct{ Note string }
		if err := p.rgate.ask(http.MethodPost, "/reload", &answer); err != nil || answer.Note != "" {
			p.Fatalf("cannot reload: %v %s", err, answer.Note)
		}
		p.pause(40 * time.Millisecond)
	}
}
