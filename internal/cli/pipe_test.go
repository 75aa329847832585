package cli

import (
	"os"
	"testing"
)

// A configuration may come from a pipe, as of `rgate -c <(…)`, once.
func TestAConfigurationFromAPipe(t *testing.T) {
	from, to, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	o := spawned{files: []*os.File{from}, shell: `exec "$0" -c /dev/fd/3 "$3" "$4"`}
	p := prepare(t, &o)
	if _, err := to.WriteString("admin: {socket: " + p.socket + "}\n" + static("auto", echo(t))); err != nil {
		t.Fatal(err)
	}
	_ = to.Close()
	p.start(o)
	until(t, "it serves", p.serves)
	p.serve()
	rgate(t, "reload", "--socket", p.socket).want(t, 2, "/dev/fd/3 again: it is a pipe")
	p.serve()
}
