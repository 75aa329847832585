package cli

import (
	"net/http"
	"strings"
	"syscall"
	"testing"
)

// serve fails unless p answers as ever.
func (p *process) serve() {
	p.t.Helper()
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		if err := p.request(&http.Transport{DisableKeepAlives: true, TLSClientConfig: p.tls}, method); err != nil {
			p.t.Errorf("%s: %v", method, err)
		}
	}
}

// Whatever is wrong with the new one, the old one serves on, and the next
// upgrade is free to do better.
func TestUpgradesThatFail(t *testing.T) {
	address := echo(t)
	p := spawn(t, spawned{config: static("auto", address)})
	stop := p.asking()
	for name, c := range map[string]struct {
		spoil func()
		want  string
	}{
		"no program":  {func() { p.replace(p.binary, []byte("\x7fELF, but not quite")) }, "exec format error"},
		"it ends":     {func() { p.replace(p.binary, []byte("#!/bin/sh\necho no luck today >&2\nexit 3\n")) }, "no luck today"},
		"it says so":  {func() { p.replace(p.binary, []byte("#!/bin/sh\necho ready\nexit 0\n")) }, "it ended (exit status 0)"},
		"a bad file":  {func() { p.write("routs: []\n") }, "routs"},
		"not allowed": {func() { p.write("admin: {socket: 7}\n" + static("auto", address)) }, "c.yml:1"},
	} {
		t.Run(name, func(t *testing.T) {
			c.spoil()
			rgate(t, "upgrade", "--socket", p.socket).want(t, 1, "cannot upgrade: ", c.want)
			p.serve()
			p.install()
			p.write("admin: {socket: " + p.socket + "}\n" + static("auto", address))
		})
	}
	if asked, wrong := stop(); len(wrong) > 0 {
		t.Errorf("of %d commands these went wrong:\n%s", asked, strings.Join(wrong, "\n"))
	}
	p.upgrade()
	p.serve()
}

// While one upgrade is under way there is no other, and an end is an end.
func TestAnUpgradeThatHangs(t *testing.T) {
	p := spawn(t, spawned{config: static("auto", echo(t))})
	p.replace(p.binary, []byte("#!/bin/sh\necho it hangs >&2\nexec sleep 50\n"))
	pid := p.first.Process.Pid
	if err := syscall.Kill(pid, syscall.SIGUSR2); err != nil {
		t.Fatal(err)
	}
	until(t, "an upgrade begins", func() bool { return strings.Contains(p.said(), "an upgrade begins") })
	rgate(t, "upgrade", "--socket", p.socket).want(t, 1, "another one is under way")
	p.serve()
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := <-p.ended; err != nil {
		t.Errorf("it ended with %v", err)
	}
	if !strings.Contains(p.said(), "rgate was told to end") {
		t.Error("it does not say why nothing came of the upgrade")
	}
}
