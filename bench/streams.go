//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"rgate/bench/internal/load"
	"rgate/bench/internal/peer"
)

// streams is one measurement by h2load, which is asked for a number of
// requests that takes about as long as the others do: the processor time of all
// of its run is counted, the handshakes of its few connections too.
func (r *runner) streams(ctx context.Context, s scenario, process *peer.Process) (result load.Result, err error) {
	argv := []string{
		"h2load", "-D", strconv.FormatInt(r.duration().Milliseconds(), 10) + "ms", "-c", strconv.Itoa(s.connections), "-m", strconv.Itoa(s.streams),
		"--npn-list=h2", "--groups=X25519", "--tls13-ciphers=TLS_AES_128_GCM_SHA256", "--connect-to=" + process.Site.Secure.String(),
	}
	for _, path := range s.request.Paths {
		argv = append(argv, "https://"+peer.Host+path)
	}
	cmd := r.machine.load.Command(argv...)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	before, err := peer.CPU(process.PIDs())
	if err != nil {
		return result, err
	}
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return result, fmt.Errorf("cannot start h2load: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { _ = cmd.Process.Kill() })
	err = cmd.Wait()
	stop()
	elapsed := time.Since(start)
	if err != nil {
		return result, fmt.Errorf("h2load: %w: %s", err, strings.TrimSpace(said.String()))
	}
	after, err := peer.CPU(process.PIDs())
	if err != nil {
		return result, err
	}
	result, err = readStreams(said.String())
	result.CPU, result.Elapsed = after-before, elapsed
	return result, err
}

// lastLine of what a program said that has a letter in it.
func lastLine(said string) string {
	lines := strings.Split(strings.TrimSpace(said), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}

var (
	streamCounts = regexp.MustCompile(`(?m)^requests: \d+ total, \d+ started, (\d+) done, (\d+) succeeded, (\d+) failed, (\d+) errored`)
	agreedOn     = []string{"TLS Protocol: TLSv1.3", "Cipher: TLS_AES_128_GCM_SHA256", "Server Temp Key: X25519 ", "Application protocol: h2"}
)

// readStreams is what h2load says of a run.
func readStreams(said string) (result load.Result, err error) {
	for _, want := range agreedOn {
		if !strings.Contains(said, want) {
			return result, fmt.Errorf("h2load did not come to %q: %s", want, lastLine(said))
		}
	}
	found := streamCounts.FindStringSubmatch(said)
	if found == nil {
		return result, errors.New("h2load did not count requests")
	}
	var n [5]uint64
	for i, text := range found[1:] {
		if n[i], err = strconv.ParseUint(text, 10, 64); err != nil {
			return result, fmt.Errorf("h2load counted %q: %w", text, err)
		}
	}
	result.Requests, result.Errors = n[1], n[0]-n[1]
	if result.Errors > 0 {
		result.FirstError = fmt.Sprintf("not answered by 200: %s failed, %s errored", found[3], found[4])
	}
	if result.Requests == 0 {
		return result, errors.New("h2load got no answer")
	}
	return result, nil
}
