package handover

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

func TestNothingIsInherited(t *testing.T) {
	i, err := Inherit()
	if err != nil || i.Successor() || i.Take("tcp").Listener != nil || i.Discard() != 0 || i.Ready() != nil {
		t.Errorf("%+v, %v", i, err)
	}
	i.Close()
}

// The sockets are meant for another process, such as the shell that ran us.
func TestAnInheritanceOfAnother(t *testing.T) {
	t.Setenv("LISTEN_PID", "1")
	t.Setenv("LISTEN_FDS", "1")
	if i, err := Inherit(); err != nil || i.Take("tcp").Listener != nil {
		t.Errorf("%+v, %v", i, err)
	}
	if _, set := os.LookupEnv("LISTEN_FDS"); set {
		t.Error("who is started from here would be misled too")
	}
}

func TestAnInheritanceThatIsNone(t *testing.T) {
	t.Setenv(envLine, "three")
	if _, err := Inherit(); err == nil || !strings.Contains(err.Error(), "RGATE_PREDECESSOR is for rgate alone to set") {
		t.Errorf("%v", err)
	}
}

// A descriptor that is no listening socket is refused.
func TestADescriptorThatIsNoSocket(t *testing.T) {
	f, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	cmd := exec.Command(os.Args[0])
	cmd.ExtraFiles = []*os.File{f, f, f}
	cmd.Env = append(os.Environ(), envAct+"=serve", "LISTEN_FDS=1", envLine+"=4:5")
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "cannot use the inherited descriptor LISTEN_FD_3: it is no listening socket") {
		t.Errorf("%v, %s", err, out)
	}
}

// The predecessor was killed while its successor started.
func TestAPredecessorThatIsGone(t *testing.T) {
	gone, line, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	_ = gone.Close()
	cmd := exec.Command(os.Args[0])
	cmd.ExtraFiles = []*os.File{line, os.Stderr}
	cmd.Env = append(os.Environ(), envAct+"=serve", envLine+"=3:4")
	var said strings.Builder
	cmd.Stderr = &said
	err = cmd.Run()
	_ = line.Close()
	if err == nil || !strings.Contains(said.String(), "it starts") {
		t.Errorf("%v, %s", err, said.String())
	}
}

func TestWhoMayBeReplaced(t *testing.T) {
	for _, c := range []struct {
		pid, parent int
		first       string
		may         bool
	}{
		{1, 0, "rgate", false},
		{7, 1, "tini", false},
		{7, 1, "docker-init", false},
		{7, 1, "systemd", true},
		{7, 1, "", true},
		{7, 6, "tini", true},
	} {
		err := replaceable(c.pid, c.parent, c.first)
		if (err == nil) != c.may || err != nil && !strings.Contains(err.Error(), "start a container of the new image") {
			t.Errorf("%+v: %v", c, err)
		}
	}
	if err := new(Inheritance).Replaceable(); os.Getpid() > 1 && os.Getppid() > 1 && err != nil {
		t.Errorf("these tests: %v", err)
	}
}
