package standard

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"rgate/internal/config"
)

// A body that stands still is cut; one that moves may take as long as it likes.
func TestABodyHasToMove(t *testing.T) {
	t.Parallel()
	endpoint := backend(t, func(w http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body)
		fmt.Fprint(w, n)
	})
	const within = 2 * time.Second // room for a busy machine
	r := start(t, func(c *config.Config) {
		c.Limits.BodyProgress = config.BodyProgress{Bytes: 10, Within: within}
	}, endpoint)

	slow := r.dial()
	slow.say("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nabc")
	if res, _ := slow.response("POST"); res.StatusCode != 408 || !res.Close {
		t.Errorf("a body that stands still got %v", res)
	}
	r.eventually("408 is counted", func() bool { return r.counted(4) == 1 })

	steady := r.dial()
	steady.say("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 150\r\n\r\n")
	tick := time.NewTicker(within / 10)
	defer tick.Stop()
	for range 15 {
		<-tick.C
		steady.say("%s", strings.Repeat("x", 10))
	}
	if response, body := steady.response("POST"); response.StatusCode != 200 || body != "150" {
		t.Errorf("a body that moves: %d %q", response.StatusCode, body)
	}
}
