package docker

import "time"

// timing is how long what takes. Tests shorten it.
type timing struct {
	quiet    time.Duration // events are over when none came for this long
	burst    time.Duration // a list waits no longer than this for events to be over
	relist   time.Duration // a list is made at least this often
	patience time.Duration // an engine that has not answered by then cannot be reached
	inspect  time.Duration // a container that is not inspected by then is held up, …
	again    time.Duration // … and tried anew after this
	settled  time.Duration // a session this long was a good one: reconnect at once
	backoff  time.Duration // the first wait before a reconnect, which then doubles
	ceiling  time.Duration // the longest wait before a reconnect, or a list in place of one that is behind
	grace    time.Duration // a container that outlives its stop signal by this is back
	first    time.Duration // the first view waits this long for the first probes

	dial      time.Duration // a port that has not accepted by then is unreachable
	probe     time.Duration // between probes of a port at first
	probeMany time.Duration // for how long probes are that close
	probeSlow time.Duration // the longest wait between probes of a port that refuses
	probeRare time.Duration // the longest wait between probes of an unreachable one
}

func usualTiming() timing {
	return timing{
		quiet: 50 * time.Millisecond, burst: 500 * time.Millisecond, relist: time.Minute,
		patience: 10 * time.Second, inspect: 3 * time.Second, again: 30 * time.Second, settled: 5 * time.Second,
		backoff: 100 * time.Millisecond, ceiling: 5 * time.Second,
		grace: 30 * time.Second, first: 1500 * time.Millisecond,
		dial: time.Second, probe: 75 * time.Millisecond, probeMany: 10 * time.Second,
		probeSlow: 2 * time.Second, probeRare: 30 * time.Second,
	}
}
