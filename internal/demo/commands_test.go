package demo

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

var printed = regexp.MustCompile(`(?m)^    (curl .*)$`)

// expectCommands runs the commands that a demo prints: with curl, where there
// is one, and as what they mean.
func (s *show) expectCommands() {
	s.t.Helper()
	commands := printed.FindAllStringSubmatch(s.out.String(), -1)
	if len(commands) != 6 {
		s.t.Errorf("%d commands in what the demo said:\n%s", len(commands), s.out)
	}
	for _, c := range commands {
		status, body := meant(s.t, c[1])
		want := map[bool]int{false: 200, true: 403}[strings.HasSuffix(c[1], "/elsewhere")]
		if status != want || !strings.Contains(body, "answered_by") && !strings.Contains(body, "requests_count") && want == 200 {
			s.t.Errorf("%s: %d %s", c[1], status, body)
		}
		if _, err := exec.LookPath("curl"); err != nil {
			continue
		}
		cmd := exec.CommandContext(s.t.Context(), "/bin/sh", "-c", c[1]+" --silent --show-error --noproxy '*'")
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), body[:10]) {
			s.t.Errorf("%s: %v\n%s", c[1], err, out)
		}
	}
}

// meant does what a command of curl means.
func meant(t *testing.T, command string) (status int, body string) {
	t.Helper()
	words := strings.Fields(command)
	transport := &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: x509.NewCertPool()}}
	for i, w := range words {
		if w != "--cacert" {
			continue
		}
		text, err := os.ReadFile(words[i+1])
		if err != nil || !transport.TLSClientConfig.RootCAs.AppendCertsFromPEM(text) {
			t.Fatalf("%s: %v", command, err)
		}
	}
	answer, err := (&http.Client{Transport: transport}).Get(words[len(words)-1])
	if err != nil {
		t.Fatalf("%s: %v", command, err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}
