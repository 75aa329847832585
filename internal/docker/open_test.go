package docker

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"rgate/internal/discovery"
	"rgate/internal/enginetest"
)

func write(t *testing.T, path, content string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestWhichEngineIsMeant(t *testing.T) {
	home := t.TempDir()
	sum := sha256.Sum256([]byte("work"))
	write(t, home+"/.docker/contexts/meta/"+hex.EncodeToString(sum[:])+"/meta.json", `{"Name":"work","Endpoints":{"docker":{"Host":"ssh://me@far.example:2222"}}}`)
	current := t.TempDir()
	write(t, current+"/config.json", `{"currentContext":"work"}`)
	write(t, current+"/contexts/meta/"+hex.EncodeToString(sum[:])+"/meta.json", `{"Endpoints":{"docker":{"Host":"unix:///work.sock"}}}`)
	broken := t.TempDir()
	write(t, broken+"/config.json", `{`)
	for _, row := range []struct {
		host string
		env  string
		want string
	}{
		{"unix:///a.sock", "DOCKER_HOST=unix:///b.sock", "unix:///a.sock at 127.0.0.1, local"},
		{"", "DOCKER_HOST=tcp://10.0.0.1", "tcp://10.0.0.1:2375 at 10.0.0.1"},
		{"", "DOCKER_HOST=tcp://[::1]:99/", "tcp://[::1]:99 at ::1, local"},
		{"", "DOCKER_CONTEXT=work", "ssh://me@far.example:2222 at far.example"},
		{"", "DOCKER_CONTEXT=default", "unix:///var/run/docker.sock at 127.0.0.1, local"},
		{"", "DOCKER_CONFIG=" + current, "unix:///work.sock at 127.0.0.1, local"},
		{"", "DOCKER_CONTEXT=other", `cannot read docker context "other"`},
		{"", "DOCKER_CONFIG=" + broken, "cannot read the current docker context"},
		{"", "", "unix:///var/run/docker.sock at 127.0.0.1, local"},
		{"npipe:////./pipe/docker", "", "want unix:///path, tcp://host:port or ssh://user@host"},
		{"localhost", "", "want unix:///path"},
		{"tcp://far:1", "DOCKER_TLS_VERIFY=1", "cannot read the engine's CA"},
	} {
		env := map[string]string{"HOME": home}
		if key, value, ok := strings.Cut(row.env, "="); ok {
			env[key] = value
		}
		e, err := Open(Options{Host: row.host, Env: func(key string) string { return env[key] }})
		got := fmt.Sprint(err)
		if err == nil {
			got = e.Host() + " at " + e.target.host()
			if e.target.local() {
				got += ", local"
			}
		}
		if got != row.want && (err == nil || !strings.Contains(got, row.want)) {
			t.Errorf("host %q, %s: got %s, want %s", row.host, row.env, got, row.want)
		}
	}
}

func TestEngineBehindTLS(t *testing.T) {
	fake := enginetest.NewFake(t)
	server := httptest.NewTLSServer(fake)
	defer server.Close()
	ca := write(t, t.TempDir()+"/ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})))
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	e, err := Open(Options{Host: "tcp://127.0.0.1:" + port, TLS: TLS{CA: ca}, Env: nothingSet})
	if err != nil {
		t.Fatal(err)
	}
	fake.Set(fakeContainer("one", "x", 1))
	if got, err := e.Survey(t.Context(), []discovery.Selector{app("x")}); err != nil || len(got) != 1 {
		t.Errorf("survey = %v, %v", got, err)
	}
	for _, files := range []TLS{{CA: os.Args[0]}, {CA: ca, Cert: ca, Key: ca}} {
		if _, err := Open(Options{Host: "tcp://127.0.0.1:" + port, TLS: files, Env: nothingSet}); err == nil {
			t.Errorf("opened with %+v", files)
		}
	}
}

func TestEngineBehindSSH(t *testing.T) {
	fake := enginetest.NewFake(t)
	_, port := listen(t)
	fake.Set(fakeContainer("one", "x", port))
	dir := t.TempDir()
	write(t, dir+"/ssh", fmt.Sprintf("#!/bin/sh\necho \"$@\" > %s/args\nRGATE_TEST_DIAL_STDIO=%s exec %s\n", dir, strings.TrimPrefix(fake.Host, "unix://"), os.Args[0]))
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	e, _ := open(t, "ssh://me@localhost:2222", usualTiming())
	w := watchIt(t, e, app("x"))
	w.await("over ssh", soon, usable("one"))
	w.stop()
	args, _ := os.ReadFile(dir + "/args")
	if want := "-l me -p 2222 -- localhost docker system dial-stdio"; !strings.Contains(string(args), want) {
		t.Errorf("ssh %s, want %s", args, want)
	}
}

func TestExplainSaysWhatToDo(t *testing.T) {
	socket := target{scheme: "unix", addr: "/var/run/docker.sock"}
	mounted := "36 35 0:24 /docker.sock /run/docker.sock rw - tmpfs tmpfs rw\n"
	dial := func(err error) error { return fmt.Errorf("cannot reach: %w", &net.OpError{Op: "dial", Err: err}) }
	for _, row := range []struct {
		err    error
		t      target
		mounts string
		want   string
	}{
		{dial(syscall.EACCES), socket, "", "--group-add"},
		{dial(syscall.ENOENT), socket, "", "there is no socket /var/run/docker.sock: start Docker"},
		{dial(syscall.ECONNREFUSED), socket, "", "nothing listens on /var/run/docker.sock"},
		{dial(syscall.ECONNREFUSED), socket, mounted, "mount its directory"},
		{dial(syscall.ENOENT), socket, mounted, "mount its directory"},
		{context.DeadlineExceeded, socket, "", "has not answered within 3s"},
		{errors.New("cannot read"), target{scheme: "tcp", addr: "x:1"}, "", "cannot read"},
	} {
		if got := explain(row.err, row.t, 3*time.Second, row.mounts); !strings.Contains(got, row.want) {
			t.Errorf("%v: got %q, want %q", row.err, got, row.want)
		}
	}
}

func TestOwnIDs(t *testing.T) {
	a, b, c := strings.Repeat("a", 64), strings.Repeat("b", 64), strings.Repeat("c", 64)
	mounts := "1 2 254:1 /var/lib/docker/containers/" + a + "/hostname /etc/hostname rw - ext4 /dev/vda rw\n" +
		"3 2 0:5 / /var/lib/docker/containers/" + b + "/mounts/shm rw - tmpfs shm rw\n"
	for want, got := range map[string][]string{
		fmt.Sprint([]string{a}):                 ownIDs(mounts, "", "web-1"),
		fmt.Sprint([]string{a, c}):              ownIDs(mounts, "0::/system.slice/docker-"+c+".scope", ""),
		fmt.Sprint([]string{c, "0123456789ab"}): ownIDs("", "9:cpu:/docker/"+c, "0123456789ab"),
		"[]":                                    ownIDs("x\n1 2 3\n", "0::/", "host"),
	} {
		if fmt.Sprint(got) != want {
			t.Errorf("got %v, want %s", got, want)
		}
	}
}

func TestShowsNetworks(t *testing.T) {
	if !showsNetworks("Debian", []string{"name=seccomp"}) || showsNetworks("Docker Desktop", nil) || showsNetworks("Debian", []string{"name=rootless"}) {
		t.Error("Docker Desktop and rootless engines alone have networks of their own")
	}
}

func TestBackoffGrowsToItsCeiling(t *testing.T) {
	timing := usualTiming()
	for failures := range 100 {
		want := min(timing.backoff<<min(failures, 16), timing.ceiling)
		if got := backoff(timing, failures); got < want/2 || got > want {
			t.Errorf("after %d failures: %v, want %v to %v", failures, got, want/2, want)
		}
	}
}
