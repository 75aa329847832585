package h1

import (
	"math"
	"testing"
	"time"
)

func TestKeepAliveTimeout(t *testing.T) {
	const most = math.MaxInt64 / time.Second * time.Second
	for value, want := range map[string]struct {
		timeout time.Duration
		ok      bool
	}{
		"timeout=5":                       {5 * time.Second, true},
		"timeout=5, max=100":              {5 * time.Second, true},
		"max=100 ,\tTimeout=15 ":          {15 * time.Second, true},
		"timeout=0":                       {0, true},
		"timeout=60, timeout=5":           {5 * time.Second, true},
		"timeout=9223372036854775807":     {most, true},
		"timeout=x, timeout=7":            {7 * time.Second, true},
		"timeout=99999999999999999999999": {},
		"":                                {},
		",":                               {},
		"timeout":                         {},
		"timeout=":                        {},
		"timeout=-1":                      {},
		"timeout=1.5":                     {},
		"timeout = 5":                     {},
		"max=5":                           {},
		"xtimeout=5":                      {},
		"timeout=5; max=1":                {},
		"5":                               {},
	} {
		if got, ok := KeepAliveTimeout([]byte(value)); got != want.timeout || ok != want.ok {
			t.Errorf("%q: got %v, %v, want %v, %v", value, got, ok, want.timeout, want.ok)
		}
	}
}
