//go:build linux

package main

import (
	"fmt"
	"strings"
	"testing"
)

// request is what strace writes for one, thread 7 being the loop.
const request = `7  epoll_pwait(3, [{events=EPOLLIN}], 256, 0, NULL, 0) = 1
7  read(9, ""..., 16384) = 30
7  sendto(10, ""..., 120, MSG_NOSIGNAL, NULL, 0) = 120
7  epoll_pwait(3,  <unfinished ...>
8  nanosleep({tv_sec=0, tv_nsec=20000}, NULL) = 0
7  <... epoll_pwait resumed>[], 256, 0, NULL, 0) = 0
7  read(10, ""..., 16384) = 40
7  sendto(9, ""..., 90, MSG_NOSIGNAL, NULL, 0) = 90
9  +++ exited with 0 +++
`

func TestJudge(t *testing.T) {
	const n = 200
	good := strings.Repeat(request, n)
	for name, f := range map[string]struct{ log, want string }{
		"good":                 {good, ""},
		"a little":             {good + "7  getpid() = 1\n", ""},
		"nothing":              {"", "0 reads and writes"},
		"a read too many":      {strings.Repeat(request+"7  read(9, 0x1, 1) = -1 EAGAIN\n", n), "1000 reads and writes"},
		"a look":               {strings.Repeat(request+"7  recvfrom(9, 0x1, 1, MSG_PEEK|MSG_DONTWAIT, NULL, NULL) = -1 EAGAIN\n", n), ""},
		"two looks":            {strings.Repeat(request+strings.Repeat("7  recvfrom(9, 0x1, 1, MSG_PEEK|MSG_DONTWAIT, NULL, NULL) = -1 EAGAIN\n", 2), n), "400 looks"},
		"a write elsewhere":    {strings.Repeat(request+"8  write(1, \"\"..., 1) = 1\n", n), "1000 reads and writes"},
		"a clock per request":  {strings.Repeat(request+"7  clock_gettime(0, {}) = 0\n", n), "200 other calls"},
		"a lock per request":   {strings.Repeat(request+"7  futex(0x1, FUTEX_WAKE, 1) = 0\n", n), "200 calls of the scheduler"},
		"looks without an end": {strings.Repeat(request+strings.Repeat("7  epoll_pwait(3, [], 256, 0, NULL, 0) = 0\n", 3), n), "1000 waits"},
	} {
		t.Run(name, func(t *testing.T) {
			loop, rest := split(parse(f.log))
			if got := fmt.Sprint(judge(loop, rest, n)); f.want == "" && got != "<nil>" || !strings.Contains(got, f.want) {
				t.Errorf("got %q, want %q", got, f.want)
			}
		})
	}
}
