//go:build linux

package main

import (
	"strings"
	"testing"
)

const saidStreams = `TLS Protocol: TLSv1.3
Cipher: TLS_AES_128_GCM_SHA256
Server Temp Key: X25519 253 bits
Application protocol: h2

finished in 200.31ms, 10000.00 req/s, 2.18MB/s
requests: 2128 total, 2128 started, 2000 done, 1990 succeeded, 10 failed, 0 errored, 0 timeout
status codes: 1990 2xx, 0 3xx, 0 4xx, 10 5xx
`

func TestReadStreams(t *testing.T) {
	got, err := readStreams(saidStreams)
	if err != nil || got.Requests != 1990 || got.Errors != 10 || got.FirstError == "" {
		t.Errorf("%+v (%v)", got, err)
	}
	for change, want := range map[string]string{
		"TLSv1.3": "TLS Protocol", "Application protocol: h2": "Application protocol", "AES_128": "Cipher", "X25519": "Temp Key",
		"requests: 2128": "did not count", "1990 succeeded": "did not count",
	} {
		if _, err := readStreams(strings.Replace(saidStreams, change, "", 1)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("without %q: %v, want %q", change, err, want)
		}
	}
}
