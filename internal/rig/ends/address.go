package ends

import (
	"fmt"
	"math/rand/v2"
)

// Nobody is an address that refuses connections. Its port is of a service that
// nobody runs, and none that a listener gets which takes any.
const Nobody = "127.0.0.1:1"

// Address is one to listen on, on this machine and with any port, that nothing
// else uses. What connects to a port that was free a moment ago, as other tests
// do, does not meet it; and thousands of listeners one after the other, as a
// fuzz target makes, do not run out of ports where connections to earlier ones
// have not been forgotten yet.
func Address() string {
	return fmt.Sprintf("127.%d.%d.%d:0", 7+rand.IntN(200), rand.IntN(256), 1+rand.IntN(254))
}
