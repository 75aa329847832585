package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"rgate/internal/admin"
	"rgate/internal/config"
	"rgate/internal/stats"
	"rgate/internal/trial"
)

// served is a gateway that Main runs for the length of a test.
type served struct {
	t      *testing.T
	file   string
	socket string
	port   string
	stderr *buffer
	stop   func() int // ends it and answers its exit code
}

// backend is a server that answers with its name.
func backend(t *testing.T, name string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, name) }))
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

// short is a directory whose name leaves room in a socket's path.
func short(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "rgc")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

const onSocket = "admin: {socket: %s}\nroutes: [{path_prefix: /, backend: only}]\nbackends: [{name: only, endpoints: ['%s']}]\n"

// serving runs `rgate` with args on a file with an admin socket and one
// backend at endpoint, until the end of the test.
func serving(t *testing.T, endpoint string, args ...string) *served {
	t.Helper()
	s := &served{t: t, socket: filepath.Join(short(t), "a.sock"), stderr: &buffer{}}
	s.file = file(t, fmt.Sprintf(onSocket, s.socket, endpoint))
	s.run(append(args, "-c", s.file, "--listen", "127.0.0.1:0")...)
	return s
}

func (s *served) run(args ...string) {
	s.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan int, 1)
	go func() { ended <- Main(ctx, args, Process{Stdout: io.Discard, Stderr: s.stderr}) }()
	s.stop = sync.OnceValue(func() int { cancel(); return <-ended })
	s.t.Cleanup(func() {
		if code := s.stop(); code != 0 {
			s.t.Errorf("served to exit code %d:\n%s", code, s.stderr)
		}
		if s.t.Failed() {
			s.t.Logf("log:\n%s", s.stderr)
		}
	})
	var found []string
	until(s.t, "it serves", func() bool { found = servesAt.FindStringSubmatch(s.stderr.String()); return found != nil })
	s.port = found[1]
}

// servesAt finds the port in the log, be it text or JSON.
var servesAt = regexp.MustCompile(`rgate serves.*address[^ ,]*:(\d+)\b`)

func (s *served) get(path string) (int, string) {
	s.t.Helper()
	transport := &http.Transport{DisableKeepAlives: true}
	request, err := http.NewRequest(http.MethodGet, "http://127.0.0.1:"+s.port+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

// ask runs a command that asks this gateway.
func (s *served) ask(args ...string) answer {
	s.t.Helper()
	return rgate(s.t, append(args, "--socket", s.socket)...)
}

// rewrite replaces the file at once, as editors do.
func (s *served) rewrite(text string) {
	s.t.Helper()
	if err := os.WriteFile(s.file+".new", []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
	if err := os.Rename(s.file+".new", s.file); err != nil {
		s.t.Fatal(err)
	}
}

func TestServeAndStats(t *testing.T) {
	address := backend(t, "one")
	s := serving(t, address, "serve")
	for range 3 {
		if code, body := s.get("/x"); code != 200 || body != "one" {
			t.Fatalf("%d %q", code, body)
		}
	}
	// The count comes just after the answer.
	until(t, "three are counted", func() bool { return strings.Contains(s.ask("stats", "--json").stdout, `"success": 3`) })
	s.ask("stats").want(t, 0, "SUCCESS  ERROR  AVERAGE", "\n3        0", "ROUTE  BACKEND  SUCCESS", "/      only     3")
	s.ask("stats", "--by", "route").want(t, 0, "ROUTE  BACKEND  SUCCESS", "/      only     3")
	s.ask("stats", "--by", "backend").want(t, 0, "BACKEND  SUCCESS", "only     3")
	s.ask("stats", "--by", "endpoint").want(t, 0, "BACKEND  ENDPOINT", address, "ready")
	s.ask("routes").want(t, 0, "ROUTE  MATCH    BACKEND", "only     "+address, "ready")

	var total stats.Report
	a := s.ask("stats", "--json")
	if err := json.Unmarshal([]byte(a.stdout), &total); err != nil || total.Requests.Success != 3 || a.code != 0 {
		t.Errorf("stats --json: %v, %+v", err, a)
	}
	var items []admin.EndpointStats
	a = s.ask("stats", "--json", "--by", "endpoint")
	if err := json.Unmarshal([]byte(a.stdout), &items); err != nil || len(items) != 1 || items[0].Address != address {
		t.Errorf("stats --json --by endpoint: %v, %+v", err, a)
	}
	var table admin.Routes
	a = s.ask("routes", "--json")
	if err := json.Unmarshal([]byte(a.stdout), &table); err != nil || table.Config != s.file || len(table.Routes) != 1 {
		t.Errorf("routes --json: %v, %+v", err, a)
	}
	if code := s.stop(); code != 0 {
		t.Errorf("ended with exit code %d", code)
	}
	if _, err := os.Stat(s.socket); err == nil {
		t.Error("the socket is still there")
	}
}

func TestReload(t *testing.T) {
	s := serving(t, backend(t, "one"), "serve")
	good := fmt.Sprintf(onSocket, s.socket, backend(t, "two"))
	s.rewrite(good)
	s.ask("reload").want(t, 0, "reloaded\n")
	if _, body := s.get("/"); body != "two" {
		t.Errorf("after a good file: %q", body)
	}
	s.rewrite(good + "stats: {paht: /s}\n")
	a := s.ask("reload")
	a.want(t, 2, s.file+":4:9: unknown key `paht`")
	if _, body := s.get("/"); body != "two" || a.stdout != "" {
		t.Errorf("after a bad file: %q, stdout %q", body, a.stdout)
	}
}

func TestHangupReloads(t *testing.T) {
	s := serving(t, backend(t, "one"), "serve")
	s.rewrite(fmt.Sprintf(onSocket, s.socket, backend(t, "two")))
	if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	until(t, "the new backend answers", func() bool { _, body := s.get("/"); return body == "two" })
}

func TestHangupWithABadFileKeepsWhatRuns(t *testing.T) {
	s := serving(t, backend(t, "one"), "serve")
	s.rewrite(wrong)
	if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	until(t, "the log says what is wrong", func() bool { return strings.Contains(s.stderr.String(), "unknown key `paht`") })
	if code, body := s.get("/"); code != 200 || body != "one" {
		t.Errorf("%d %q", code, body)
	}
}

func TestTerminationEndsIt(t *testing.T) {
	s := serving(t, backend(t, "one"))
	if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	until(t, "it drains", func() bool { return strings.Contains(s.stderr.String(), "drains what is in flight") })
	if code := s.stop(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

func TestDrainAndUndrain(t *testing.T) {
	address := backend(t, "one")
	s := serving(t, address, "serve")
	s.ask("drain", address).want(t, 0, address+": drained\n")
	s.ask("routes").want(t, 0, "drained by hand")
	if code, _ := s.get("/"); code != 503 {
		t.Errorf("while drained: %d", code)
	}
	s.ask("undrain", address).want(t, 0, address+": undrained\n")
	if code, _ := s.get("/"); code != 200 {
		t.Errorf("after undrain: %d", code)
	}
	s.ask("drain", "nobody").want(t, 1, "rgate: no endpoint is a container of that name or id\n")
}

// rgate without a command serves, on the port and the socket of that port.
func TestServeOnAPort(t *testing.T) {
	text := "routes: [{path_prefix: /, backend: only}]\nbackends: [{name: only, endpoints: ['" + backend(t, "one") + "']}]\n"
	s := &served{t: t, file: file(t, text), stderr: &buffer{}}
	s.run("--port", "0", "-c", s.file)
	port, err := strconv.Atoi(s.port)
	if err != nil {
		t.Fatal(err)
	}
	rgate(t, "stats", "--port", s.port).want(t, 0, "ROUTE")
	if err := os.Remove(admin.SocketPath(port)); err != nil {
		t.Fatal(err)
	}
	// A gateway in a container has no socket here, but a page with the totals.
	rgate(t, "stats", "--port", s.port).want(t, 0, "SUCCESS")
	rgate(t, "stats", "--port", s.port, "--by", "route").want(t, 1, "no gateway answers on ", "stats: {details: true}")
}

// Whoever names an address in the file is told that it does not count.
func TestPortBeatsListen(t *testing.T) {
	for listen, said := range map[string]bool{"": false, "listen: 127.0.0.1:0\n": true} {
		s := &served{t: t, file: file(t, listen+"routes: [{path_prefix: /, backend: only}]\nbackends: [{name: only, endpoints: ['127.0.0.1:1']}]\n"), stderr: &buffer{}}
		s.run("--port", "0", "-c", s.file)
		if strings.Contains(s.stderr.String(), "--port beats listen of the file") != said {
			t.Errorf("%q: the log says %s", listen, s.stderr)
		}
	}
}

func TestJSONLogsAndDebug(t *testing.T) {
	s := serving(t, "127.0.0.1:1", "serve", "--log-format", "json", "--debug")
	s.get("/seen") // nothing listens there, so attempts fail, which only --debug shows
	until(t, "the failed attempt is logged", func() bool { return strings.Contains(s.stderr.String(), `"level":"DEBUG","msg":"an attempt failed"`) })
	for line := range strings.Lines(s.stderr.String()) {
		if !json.Valid([]byte(line)) {
			t.Errorf("no JSON: %s", line)
		}
	}
}

func TestNotRunning(t *testing.T) {
	port := strconv.Itoa(trial.Port(t))
	for _, args := range [][]string{{"stats"}, {"stats", "--json"}, {"stats", "--by", "route"}, {"reload"}, {"drain", "x"}, {"undrain", "x"}} {
		a := rgate(t, append(args, "--port", port)...)
		a.want(t, 1, "no gateway answers on ", port+".sock: is it running, and on that port?")
		socket := filepath.Join(t.TempDir(), "none.sock")
		rgate(t, append(args, "--socket", socket)...).want(t, 1, "no gateway answers on "+socket)
	}
	rgate(t, "routes", "--socket", filepath.Join(t.TempDir(), "none.sock")).want(t, 1, "no gateway answers on ")
	rgate(t, "stats", "--port", "65536").want(t, 2, "--port 65536 is no port")
	rgate(t, "routes", "--port", "-1").want(t, 2, "--port -1 is no port")
	t.Chdir(t.TempDir())
	rgate(t, "routes", "--port", port).want(t, 1, "no gateway answers on ", "there is no config.yml to compile instead")
}

// Another program is on the gateway's port: it is not taken for one.
func TestStatsOfAnotherProgram(t *testing.T) {
	_, port, err := net.SplitHostPort(backend(t, "<html>"))
	if err != nil {
		t.Fatal(err)
	}
	a := rgate(t, "stats", "--json", "--port", port)
	a.want(t, 1, "no gateway answers on ")
	if a.stdout != "" {
		t.Errorf("printed %q", a.stdout)
	}
}

// Something else listens where the gateway should be.
func TestNonsenseAnswers(t *testing.T) {
	answering := func(text string) string {
		path := filepath.Join(short(t), "a.sock")
		l, err := net.Listen("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if text == "" {
				panic(http.ErrAbortHandler)
			}
			_, _ = io.WriteString(w, text)
		})}
		done := make(chan struct{})
		go func() { defer close(done); _ = server.Serve(l) }()
		t.Cleanup(func() { _ = server.Close(); <-done })
		return path
	}
	for _, args := range [][]string{{"stats"}, {"stats", "--by", "endpoint"}, {"routes"}} {
		rgate(t, append(args, "--socket", answering("<html>"))...).want(t, 1, "cannot understand the gateway's answer")
		rgate(t, append(args, "--socket", answering(""))...).want(t, 1, "cannot ask the gateway on ")
	}
}

func TestServeRefuses(t *testing.T) {
	path := file(t, "routes: [{path_prefix: /, backend: a}]\nbackends: [{name: a, endpoints: ['h:1']}]\n")
	for line, want := range map[string]string{
		"--log-level loud":  `--log-level "loud" must be debug, info, warn or error`,
		"--log-format xml":  `--log-format "xml" must be text or json`,
		"--port 65536":      "--port 65536 is no port",
		"--port -1":         "--port -1 is no port",
		"serve --port many": "invalid argument",
		"--listen nonsense": "--listen: `nonsense` is not an address to listen on",
		"--listen 8080":     "write `\":8080\"`",
	} {
		rgate(t, append(strings.Fields(line), "-c", path)...).want(t, 2, want)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	rgate(t, "-c", path, "--listen", l.Addr().String()).want(t, 1, "cannot listen on "+l.Addr().String(), "--port")
	rgate(t, "-c", file(t, wrong)).want(t, 2, "unknown key `paht`")
	t.Setenv("DOCKER_HOST", "bogus")
	containers := file(t, "routes: [{path_prefix: /, backend: a}]\nbackends: [{name: a, match_labels: [x]}]\n")
	rgate(t, "-c", containers, "--listen", "127.0.0.1:0").want(t, 2, "cannot use the docker settings")
}

func TestFlagsBeatTheFile(t *testing.T) {
	for _, c := range []struct {
		listen    string
		inFile    string
		portGiven bool
		want      string
	}{
		{"", "", false, ""},
		{"", "127.0.0.1:1", false, "127.0.0.1:1"},
		{"", "127.0.0.1:1", true, ":7"},
		{"127.0.0.1:2", "127.0.0.1:1", true, "127.0.0.1:2"},
	} {
		if got := address(serveFlags{port: 7, listen: c.listen}, &config.Config{Listen: c.inFile}, c.portGiven); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}

func TestDemoBackend(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var errs bytes.Buffer
	if code := Main(ctx, []string{"demo-backend", "--port", "0"}, Process{Stdout: io.Discard, Stderr: &errs}); code != 0 {
		t.Errorf("exit code %d: %s", code, &errs)
	}
	rgate(t, "demo-backend", "--port", "70000").want(t, 1, "cannot listen on :70000")
}

func TestColour(t *testing.T) {
	tty, err := os.OpenFile("/dev/null", os.O_WRONLY, 0) // a character device, as terminals are
	if err != nil {
		t.Fatal(err)
	}
	defer tty.Close()
	env := func(value string, set bool) func(string) (string, bool) {
		return func(string) (string, bool) { return value, set }
	}
	for _, c := range []struct {
		p    Process
		want string
	}{
		{Process{Stdout: tty, Env: env("", false)}, "\x1b[32mgood\x1b[0m\x1b[31mbad\x1b[0m"},
		{Process{Stdout: tty, Env: env("", true)}, "\x1b[32mgood\x1b[0m\x1b[31mbad\x1b[0m"},
		{Process{Stdout: tty, Env: env("1", true)}, "goodbad"},
		{Process{Stdout: &bytes.Buffer{}, Env: env("", false)}, "goodbad"},
	} {
		if got := string(c.p.paint("good", true) + c.p.paint("bad", false)); got != c.want {
			t.Errorf("%q instead of %q", got, c.want)
		}
	}
}
