package cli

import (
	"net"
	"os"
	"syscall"
	"testing"
)

// A successor knows which file the admin socket is that it inherited: in the end
// it removes that, and not what has come to its path since.
func TestTheLastSuccessorRemovesTheAdminSocket(t *testing.T) {
	for name, replaced := range map[string]bool{"its own": false, "somebody else's": true} {
		t.Run(name, func(t *testing.T) {
			p := spawn(t, spawned{config: static("auto", echo(t))})
			p.upgrade()
			last := p.upgrade()
			until(t, "the first one ends", func() bool { return !alive(p.first.Process.Pid) })
			if _, err := os.Lstat(p.socket); err != nil {
				t.Fatal(err)
			}
			if replaced {
				if err := os.Remove(p.socket); err != nil {
					t.Fatal(err)
				}
				l, err := net.Listen("unix", p.socket)
				if err != nil {
					t.Fatal(err)
				}
				defer l.Close()
			}
			if err := syscall.Kill(last, syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			until(t, "the last one ends", func() bool { return !alive(last) })
			if _, err := os.Lstat(p.socket); (err == nil) != replaced {
				t.Errorf("the file at its path: %v", err)
			}
		})
	}
}
