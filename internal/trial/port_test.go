package trial

import (
	"fmt"
	"net"
	"os"
	"testing"
)

// A port is outside of what the kernel gives to anyone, can be listened on, and
// is given once.
func TestPort(t *testing.T) {
	var first, last int
	if text, err := os.ReadFile(rangeFile); err == nil {
		if _, err := fmt.Sscan(string(text), &first, &last); err != nil {
			t.Fatal(err)
		}
	}
	seen := map[int]bool{}
	for range 300 {
		port := Port(t)
		if seen[port] {
			t.Fatalf("%d was given twice", port)
		}
		seen[port] = true
		if port < 10000 || port >= first && port <= last && first > 11000 {
			t.Fatalf("%d, where the kernel's own range is %d to %d", port, first, last)
		}
	}
	for port := range seen {
		l, err := net.Listen("tcp", fmt.Sprint("127.0.0.1:", port))
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		break
	}
}

func TestChoiceOfPorts(t *testing.T) {
	for text, want := range map[string][2]int{
		"32768\t60999\n": {10000, 32767},
		"":               {10000, 32767},
		"1024 60999":     {61000, 65535},
		"10500 40000":    {40001, 65535},
		"1024 65535":     {10000, 65535},
		"15000 64999":    {10000, 14999},
	} {
		if low, high := choice(text); [2]int{low, high} != want {
			t.Errorf("%q: %d to %d, want %d to %d", text, low, high, want[0], want[1])
		}
	}
}
