package packaging

import (
	"bufio"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"rgate/internal/enginetest"
	"rgate/internal/trial"
)

// The lines of the page on TLS that people are to type, with the files that stand
// above them, do what they say.
func TestTLSPageWorks(t *testing.T) {
	for _, tool := range []string{"openssl", "curl"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Fatalf("install %s, which the page has people type: %v", tool, err)
		}
	}
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("well done")) }))
	defer web.Close()
	page := pages(t)["../../docs/tls.md"]
	files := yamlBlock.FindAllStringSubmatch(page, 2)
	t.Run("files", func(t *testing.T) {
		s := newShell(t, page, regexp.MustCompile(`(?m)^.*other\.pem.*\n`).ReplaceAllString(files[0][1], ""), web)
		s.run("openssl ")
		s.serve()
		s.expect("curl --cacert shop.pem ")
	})
	t.Run("private names", func(t *testing.T) {
		shop := filepath.Join(t.TempDir(), "shop")
		trial.Certificate(t, filepath.Dir(shop), "shop", "shop.example.com")
		s := newShell(t, page, strings.NewReplacer("shop.pem", shop+".pem", "shop.key", shop+".key", "hosts: [shop.internal]", "path_prefix: /").Replace(files[1][1]), web)
		s.serve()
		s.run("rgate ca ")
		s.expect("curl --cacert rgate-ca.pem ")
	})
}

// shell is a directory in which lines of a page are typed.
type shell struct {
	t          *testing.T
	page, dir  string
	port       string // in place of 8443
	substitute *strings.Replacer
}

func newShell(t *testing.T, page, file string, web *httptest.Server) *shell {
	t.Helper()
	dir, err := os.MkdirTemp("", "rg") // short, for the socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	s := &shell{t: t, page: page, dir: dir, port: strconv.Itoa(trial.Port(t))}
	file = regexp.MustCompile(`address: ":(8444|8081)"`).ReplaceAllString(file, `address: "127.0.0.1:0"`)
	file = strings.NewReplacer(`":8443"`, `"127.0.0.1:`+s.port+`"`, "10.1.2.3:8080", strings.TrimPrefix(web.URL, "http://")).Replace(file)
	file += "admin: {socket: " + filepath.Join(dir, "s") + "}\nstate_dir: " + filepath.Join(dir, "state") + "\n"
	if err := os.WriteFile(filepath.Join(dir, "config.yml"), []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "rgate"), enginetest.Compile(t, "rgate/cmd/rgate"), 0o755); err != nil {
		t.Fatal(err)
	}
	s.substitute = strings.NewReplacer("8443", s.port, "rgate ca", "./rgate ca --socket s", "curl ", "curl --silent --show-error --noproxy '*' --retry 10 --retry-connrefused ")
	return s
}

// run types the line of the page that begins so.
func (s *shell) run(begin string) string {
	s.t.Helper()
	line := regexp.MustCompile(`(?m)^    (` + regexp.QuoteMeta(begin) + `(?:[^\\\n]|\\\n)*)`).FindStringSubmatch(s.page)
	if line == nil {
		s.t.Fatalf("the page has no line that begins with %q", begin)
	}
	cmd := exec.CommandContext(s.t.Context(), "/bin/sh", "-c", s.substitute.Replace(strings.ReplaceAll(line[1], "\\\n", " ")))
	cmd.Dir = s.dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		s.t.Fatalf("%s: %v\n%s", cmd, err, out)
	}
	return string(out)
}

func (s *shell) expect(begin string) {
	s.t.Helper()
	if got := s.run(begin); got != "well done" {
		s.t.Errorf("%s…: %q", begin, got)
	}
}

// serve starts rgate, which ends with the test.
func (s *shell) serve() {
	s.t.Helper()
	cmd := exec.Command("./rgate", "--listen", "127.0.0.1:0")
	cmd.Dir = s.dir
	stderr, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		s.t.Fatal(err)
	}
	said := bufio.NewScanner(stderr)
	var log strings.Builder
	for said.Scan() && !strings.Contains(said.Text(), "rgate serves") {
		log.WriteString(said.Text() + "\n")
	}
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		for said.Scan() { // until it ends
		}
	}()
	s.t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		<-drained
		if err := cmd.Wait(); err != nil {
			s.t.Errorf("%v\n%s", err, log.String())
		}
	})
}
