//go:build linux

package main

import (
	"fmt"
	"strconv"

	"rgate/bench/internal/load"
	"rgate/bench/internal/origin"
	"rgate/bench/internal/report"
)

const small = 128 // bytes of an answer that costs nothing by its size

// scenario is one kind of traffic.
type scenario struct {
	report.Scenario
	connections int
	request     load.Request
	share       float64 // of nginx's saturation, in an open loop
}

// saturation is the scenario whose rate in nginx the open loop goes by.
const saturation = "small-64"

// allScenarios are those of the bench, in their order.
func allScenarios(idle int) []scenario {
	ask := func(answer int) load.Request {
		var paths []string
		for _, prefix := range []string{"/api/payment/", "/api/orders/", "/shop/"} {
			paths = append(paths, prefix+strconv.Itoa(answer))
		}
		return load.Request{Paths: paths, Answer: answer}
	}
	list := []scenario{
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
	for i := range list {
		s := &list[i]
		switch s.Name {
		case "browser":
			s.request.Browser = true
		case "post":
			s.request.Body = 1 << 10
		case "upload-1m":
			s.request.Body = 1 << 20
		}
		s.Bytes = s.request.Body + s.request.Answer
	}
	return list
}
