package trial

import (
	"fmt"
	"io"
	"net"
)

// Alone refuses to run beside another program of that name on this machine, for
// one would disturb the other. It is over once the result is closed; the
// abstract socket that says so goes away with its process.
func Alone(name string) (io.Closer, error) {
	l, err := net.Listen("unix", "@rgate-"+name)
	if err != nil {
		return nil, fmt.Errorf("another %s runs on this machine: wait for its end (%w)", name, err)
	}
	return l, nil
}
