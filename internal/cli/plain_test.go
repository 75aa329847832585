package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"rgate/internal/enginetest"
	"rgate/internal/trial"
)

// hostile is what a stranger may call a label or answer.
const hostile = "x\x1b]0;owned\x07\x1b[2J\rready\nrgate: all is well\u009b31m\u202egnp\u2066\x7f\xff\t|"

// shown fails where text would steer a terminal, or has a line that begins as
// one of rgate's own and is not.
func shown(t *testing.T, what, text string) {
	t.Helper()
	if !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }) {
		t.Errorf("%s shows %q", what, text)
	}
	if strings.Contains(text, "\nrgate: all is well") {
		t.Errorf("%s shows a forged line:\n%s", what, text)
	}
}

func TestPlain(t *testing.T) {
	for in, want := range map[string]string{
		"payment-1 grüßt 世界 😀": "payment-1 grüßt 世界 😀",
		"\uFFFD":               "\uFFFD",
		hostile:                `x\x1b]0;owned\a\x1b[2J\rready\nrgate: all is well\u009b31m\u202egnp\u2066\x7f\xff\t|`,
	} {
		if got := plain(in); got != want {
			t.Errorf("%q is shown as %s, want %s", in, got, want)
		}
	}
	if got := plainLines("one\ntwo\x1b\n"); got != "one\n  two\\x1b" {
		t.Errorf("lines are shown as %q", got)
	}
	text, _ := json.Marshal(hostile + "\U000e0001")
	var back string
	if err := json.Unmarshal(plainJSON(text), &back); err != nil || back != strings.ToValidUTF8(hostile, "\uFFFD")+"\U000e0001" {
		t.Errorf("%v, %q", err, back)
	}
	shown(t, "JSON", string(plainJSON(text)))
}

// Only say writes, so that no command forgets.
func TestAllIsPrintedByOne(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) == 0 {
		t.Fatal(err)
	}
	other := regexp.MustCompile(`\bfmt\.(Fp|P)rint|io\.WriteString\(p\.|p\.Std(out|err)\.Write\(`)
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(name, "_test.go") || name == "plain.go" {
			continue
		}
		if found := other.FindString(strings.ReplaceAll(string(text), "p.Stdout.Write(config.Schema())", "")); found != "" {
			t.Errorf("%s prints by %s", name, found)
		}
	}
}

// lying is a gateway whose answers are all hostile.
func lying(t *testing.T, status int, body string) string {
	t.Helper()
	path := filepath.Join(short(t), "a.sock")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})}
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close(); <-done })
	return path
}

func TestWhatAGatewaySaysSteersNoTerminal(t *testing.T) {
	text, _ := json.Marshal(hostile)
	h := string(text)
	table := fmt.Sprintf(`{"stale":%[1]s,"drained":[%[1]s],"routes":[{"route":%[1]s,"path_prefix":%[1]s,"match":%[1]s,"backend":%[1]s}],"backends":[
		{"backend":%[1]s,"endpoints":[{"name":%[1]s,"address":%[1]s,"state":%[1]s,"note":%[1]s}],"left_out":[{"name":%[1]s,"reason":%[1]s}]}]}`, h)
	rows := fmt.Sprintf(`[{"route":%[1]s,"path_prefix":%[1]s,"backend":%[1]s,"endpoint":%[1]s,"address":%[1]s,"state":%[1]s}]`, h)
	for _, c := range []struct {
		args   []string
		status int
		body   string
	}{
		{[]string{"routes"}, 200, table}, {[]string{"routes", "--json"}, 200, table},
		{[]string{"stats", "--by", "route"}, 200, rows}, {[]string{"stats", "--by", "backend"}, 200, rows},
		{[]string{"stats", "--by", "endpoint"}, 200, rows}, {[]string{"stats", "--by", "endpoint", "--json"}, 200, rows},
		{[]string{"reload"}, 200, `{"Note":` + h + `}`}, {[]string{"reload"}, 422, hostile}, {[]string{"reload"}, 200, hostile},
		{[]string{"upgrade"}, 500, "cannot upgrade: " + hostile}, {[]string{"drain", hostile}, 200, ""}, {[]string{"undrain", hostile}, 404, hostile},
	} {
		a := rgate(t, append(c.args, "--socket", lying(t, c.status, c.body))...)
		shown(t, strings.Join(c.args, " "), a.stdout+a.stderr)
		if len(a.stdout+a.stderr) == 0 {
			t.Errorf("%v: said nothing", c.args)
		}
	}
}

func TestWhatAContainerIsLabelledSteersNoTerminal(t *testing.T) {
	engine := enginetest.Machine(t)
	app, value := enginetest.Unique(), strings.ToValidUTF8(hostile, "")
	image := engine.Build(t, enginetest.Image{})
	c := engine.Run(t, enginetest.RunOptions{Image: image, Labels: map[string]string{"rgate.cli": app, "weight": value}})
	other := engine.Run(t, enginetest.RunOptions{Image: image, Labels: map[string]string{"rgate.cli": value}, Created: true})
	path := file(t, fmt.Sprintf("docker: {host: '%s'}\nroutes: [{path_prefix: /, backend: app}]\nbackends: [{name: app, match_labels: [rgate.cli=%s], weight_label: weight}]\n", engine.Host, app))
	for _, args := range [][]string{{"routes"}, {"routes", "--json"}, {"explain", "/x"}, {"explain", "--json", "/x"}, {"explain", hostile, "/x"}, {"explain", "/" + hostile}} {
		a := rgate(t, append(args, "-c", path)...)
		shown(t, strings.Join(args, " "), a.stdout+a.stderr)
		if len(args) == 2 && args[1] == "/x" {
			a.want(t, 0, c.Name, other.Name, `\x1b]0;owned`, `rgate: all is well\u009b31m`)
		}
	}
}

// leaving is output that ends its reader's patience with a text.
type leaving struct {
	bytes.Buffer
	text string
	end  func()
}

func (u *leaving) Write(p []byte) (int, error) {
	if bytes.Contains(p, []byte(u.text)) {
		u.end()
	}
	return u.Buffer.Write(p)
}

func TestWhatAnEngineSaysToADemoSteersNoTerminal(t *testing.T) {
	t.Setenv("DOCKER_HOST", "unix://"+lying(t, 500, hostile))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out := &leaving{text: "Nothing below is a container", end: cancel}
	if code := Main(ctx, []string{"demo", "--port", strconv.Itoa(trial.Port(t))}, Process{Stdout: out, Stderr: io.Discard}); code != 0 {
		t.Errorf("exit code %d", code)
	}
	shown(t, "demo", out.String())
	if !strings.Contains(out.String(), `\x1b[2J`) {
		t.Errorf("the demo said %q", out)
	}
}

func TestAFileFromAStrangerSteersNoTerminal(t *testing.T) {
	for _, text := range []string{"routes: [{path_prefix: \"\\e]0;x\\a\\nrgate: all is well\", bäckend\u202e: 1}]\n", "\"\\e[2J\\x9b\": 1\n", hostile} {
		a := rgate(t, "check", "-c", file(t, text))
		a.want(t, 2)
		shown(t, "check", a.stderr)
		a = rgate(t, "check", "--json", "-c", file(t, text))
		shown(t, "check --json", a.stdout+a.stderr)
	}
}

func TestLogLinesSteerNoTerminal(t *testing.T) {
	for _, format := range []string{"text", "json"} {
		var out bytes.Buffer
		log, err := newLog(&out, serveFlags{logFormat: format, logLevel: "info"})
		if err != nil {
			t.Fatal(err)
		}
		log.Info(hostile, "reason", hostile, hostile, 1, "error", fmt.Errorf("it said %s", hostile), slog.Group("g", "k", []string{hostile}))
		log.journal.Close()
		shown(t, format, out.String())
		if n := strings.Count(out.String(), "\n"); n != 1 {
			t.Errorf("%d lines", n)
		}
	}
}
