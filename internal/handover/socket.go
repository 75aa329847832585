package handover

import (
	"fmt"
	"net"
	"net/url"
	"strings"
)

// Socket is a listening socket that is passed from one process to another, with
// the name it goes by; "" is none.
type Socket struct {
	net.Listener
	Name string
}

// firstDescriptor is the first that systemd passes.
const firstDescriptor = 3

// passedName is the name of the nth socket that was passed. A predecessor
// spells names so that they do without colons, which part them, and one that
// knows of no names gives none.
func passedName(name string, n int, successor bool) string {
	if name == fmt.Sprintf("LISTEN_FD_%d", firstDescriptor+n) {
		return "" // what an unnamed one is called
	}
	if spelled, err := url.QueryUnescape(name); successor && err == nil {
		return spelled
	}
	return name
}

// namesOf is the names of sockets as a successor is told them.
func namesOf(sockets []Socket) string {
	names := make([]string, len(sockets))
	for i, s := range sockets {
		names[i] = url.QueryEscape(s.Name)
	}
	return strings.Join(names, ":")
}
