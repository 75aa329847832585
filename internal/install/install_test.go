package install

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestInstall(t *testing.T) {
	tools := []string{"nginx", "taskset", "h2load"}
	none := func(string) bool { return false }
	if err := install(tools, none, nil); err != nil {
		t.Errorf("nothing is missing: %v", err)
	}
	if err := Debian("sh"); err != nil {
		t.Errorf("there is a shell: %v", err)
	}
	var ran []string
	fails := func(argv ...string) error {
		ran = append(ran, argv[1])
		return errors.New("no network")
	}
	all := func(tool string) bool { return slices.Contains(tools, tool) }
	err := install(tools, all, fails)
	if err == nil || !strings.Contains(err.Error(), "apt-get install --no-install-recommends nginx util-linux nghttp2-client") {
		t.Errorf("error %v, want the fix", err)
	}
	for _, step := range ran {
		if step != "install" && step != "update" {
			t.Errorf("ran apt-get %s", step)
		}
	}
}
