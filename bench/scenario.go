//go:build linux

package main

import (
	"fmt"
	"strconv"

	"rgate/bench/internal/load"
	"rgate/bench/internal/origin"
	"rgate/bench/internal/peer"
	"rgate/bench/internal/report"
)

const small = 128 // bytes of an answer that costs nothing by its size

// scenario is one kind of traffic.
type scenario struct {
	report.Scenario
	connections int
	request     load.Request
	share       float64 // of nginx's saturation, in an open loop
	secure      bool    // over TLS
	hybrid      bool    // with X25519MLKEM768, by those that know it
	handshake   load.Handshake
	streams     int // at once on each connection, by HTTP/2; 0 for HTTP/1.1
}

// takes tells whether the scenario makes sense for a peer.
func (s *scenario) takes(p peer.Peer) bool {
	switch {
	case p.RelaysBytesOnly():
		// It holds two connections for each, and knows no TLS: other things.
		return s.Kind != report.Idle && !s.secure
	case s.hybrid: // held against nginx, which is asked for the same and has X25519
		return p.Name != "HAProxy"
	}
	return true
}

// saturation is the scenario whose rate in nginx the open loop goes by.
const saturation = "small-64"

// ask is a request for so many bytes.
func ask(answer int) load.Request {
	var paths []string
	for _, prefix := range []string{"/api/payment/", "/api/orders/", "/shop/"} {
		paths = append(paths, prefix+strconv.Itoa(answer))
	}
	return load.Request{Paths: paths, Answer: answer}
}

// allScenarios are those of the bench, in their order.
func allScenarios(idle int) []scenario {
	list := append(plainScenarios(idle), secureScenarios(idle/idleSecure)...)
	for i := range list {
		s := &list[i]
		switch s.Name {
		case "browser", "https-browser":
			s.request.Browser = true
		case "post", "https-post":
			s.request.Body = 1 << 10
		case "upload-1m":
			s.request.Body = 1 << 20
		}
		s.Bytes = s.request.Body + s.request.Answer
	}
	return list
}

func plainScenarios(idle int) []scenario {
	return []scenario{
		{
			Scenario:    report.Scenario{Name: saturation, Title: "64 connections, 128-byte answers", Kind: report.Requests},
			connections: 64, request: ask(small),
		}, {
			Scenario:    report.Scenario{Name: "small-256", Title: "256 connections, 128-byte answers", Kind: report.Requests},
			connections: 256, request: ask(small),
		}, {
			Scenario:    report.Scenario{Name: "browser", Title: "64 connections, a browser's header fields", Kind: report.Requests},
			connections: 64, request: ask(small),
		}, {
			Scenario:    report.Scenario{Name: "post", Title: "64 connections, 1 KB POST", Kind: report.Requests},
			connections: 64, request: ask(small),
		}, {
			Scenario:    report.Scenario{Name: "answer-10k", Title: "64 connections, 10 KB answers", Kind: report.Requests},
			connections: 64, request: ask(10 << 10),
		}, {
			Scenario:    report.Scenario{Name: "half", Title: "64 connections, 128-byte answers, at half of nginx's saturation", Kind: report.Rate},
			connections: 64, request: ask(small), share: 0.5,
		}, {
			Scenario:    report.Scenario{Name: "download-1m", Title: "8 connections, 1 MiB answers", Kind: report.Bulk},
			connections: 8, request: ask(origin.Largest),
		}, {
			Scenario:    report.Scenario{Name: "upload-1m", Title: "8 connections, 1 MiB POST", Kind: report.Bulk},
			connections: 8, request: ask(small),
		}, {
			Scenario:    report.Scenario{Name: "idle", Title: fmt.Sprintf("%d idle connections", idle), Kind: report.Idle},
			connections: idle, request: ask(small),
		},
	}
}

// idleSecure is how many times fewer connections idle over TLS than without:
// each takes a handshake, and more memory.
const idleSecure = 3

// secureScenarios are those over TLS: 1.3, a certificate of P-256, X25519 and
// AES-128-GCM. Their bars are for the loop.
func secureScenarios(idle int) []scenario {
	return []scenario{
		{
			Scenario:    report.Scenario{Name: "https-small", Title: "HTTPS: 64 connections, 128-byte answers", Kind: report.Requests, Bar: 0.85},
			connections: 64, request: ask(small), secure: true,
		}, {
			Scenario:    report.Scenario{Name: "https-browser", Title: "HTTPS: 64 connections, a browser's header fields", Kind: report.Requests, Bar: 0.90},
			connections: 64, request: ask(small), secure: true,
		}, {
			Scenario:    report.Scenario{Name: "https-post", Title: "HTTPS: 64 connections, 1 KB POST", Kind: report.Requests, Bar: 0.90},
			connections: 64, request: ask(small), secure: true,
		}, {
			Scenario:    report.Scenario{Name: "https-download-1m", Title: "HTTPS: 8 connections, 1 MiB answers", Kind: report.Bulk, Bar: 0.75},
			connections: 8, request: ask(origin.Largest), secure: true,
		}, {
			Scenario:    report.Scenario{Name: "https-full", Title: "HTTPS: a full handshake and one request per connection", Kind: report.Handshakes, Bar: 0.85},
			connections: 32, request: ask(small), secure: true, handshake: load.Full,
		}, {
			Scenario:    report.Scenario{Name: "https-resumed", Title: "HTTPS: a resumed handshake and one request per connection", Kind: report.Handshakes, Bar: 0.85},
			connections: 32, request: ask(small), secure: true, handshake: load.Resumed,
		}, {
			Scenario:    report.Scenario{Name: "https-hybrid", Title: "HTTPS: a full handshake by X25519MLKEM768 (nginx: X25519) and one request per connection", Kind: report.Handshakes, Bar: 1.10},
			connections: 32, request: ask(small), secure: true, handshake: load.Full, hybrid: true,
		}, {
			Scenario:    report.Scenario{Name: "https-idle", Title: fmt.Sprintf("HTTPS: %d idle connections", idle), Kind: report.Idle, Bar: 0.65},
			connections: idle, request: ask(small), secure: true,
		}, {
			Scenario:    report.Scenario{Name: "h2-small", Title: "HTTP/2: 8 connections with 16 streams each, 128-byte answers", Kind: report.Streams},
			connections: 8, request: ask(small), secure: true, streams: 16,
		}, {
			Scenario:    report.Scenario{Name: "h2-10k", Title: "HTTP/2: 8 connections with 16 streams each, 10 KB answers", Kind: report.Streams},
			connections: 8, request: ask(10 << 10), secure: true, streams: 16,
		},
	}
}
