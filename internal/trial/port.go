package trial

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"sync"
)

// The kernel takes from a range of ports where a connection, or a listener on
// port 0, may have any. What was free a moment ago in that range may be taken
// by anyone the next.
const (
	rangeFile = "/proc/sys/net/ipv4/ip_local_port_range"
	lowest    = 10000 // below are the ports of well-known services
	highest   = 65535
	enough    = 1000 // ports to choose from
)

// given are the ports that this process was given.
var given sync.Map

// FreePort is a TCP port on which nothing listens, for a program that has to be
// told one. It stays free: the kernel gives it to nobody who wants any, and this
// function not twice.
func FreePort() (int, error) {
	text, _ := os.ReadFile(rangeFile) // there is none but on Linux
	low, high := choice(string(text))
	for range 100 {
		port := low + rand.IntN(high-low+1)
		if _, again := given.LoadOrStore(port, true); again {
			continue
		}
		// Any address and both families, as what is published by Docker takes.
		if l, err := net.Listen("tcp", fmt.Sprint(":", port)); err == nil {
			return port, l.Close()
		}
	}
	return 0, errors.New("cannot find a free port")
}

// choice are the first and the last port to choose from, where the kernel's own
// range is the text.
func choice(text string) (low, high int) {
	var first, last int
	if n, _ := fmt.Sscan(text, &first, &last); n != 2 {
		first, last = 32768, highest // Linux begins there, others and the standard at 49152
	}
	switch below, above := first-lowest, highest-last; {
	case below >= max(above, enough):
		return lowest, first - 1
	case above >= enough:
		return last + 1, highest
	}
	return lowest, highest // the kernel leaves none
}

// Port is FreePort for a test, or a program that has the place of one.
func Port(t interface {
	Helper()
	Fatal(args ...any)
}) int {
	t.Helper()
	port, err := FreePort()
	if err != nil {
		t.Fatal(err)
	}
	return port
}
