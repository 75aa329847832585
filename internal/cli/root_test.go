package cli

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

func TestMistypes(t *testing.T) {
	for line, want := range map[string]string{
		"chekc":                  `did you mean "check"?`,
		"stast":                  `did you mean "stats"?`,
		"rotues":                 `did you mean "routes"?`,
		"drian":                  `did you mean "drain"?`,
		"undrian x":              `did you mean "undrain"?`,
		"expl":                   `did you mean "explain"?`,
		"relaod":                 `did you mean "reload"?`,
		"upgarde":                `did you mean "upgrade"?`,
		"zzzzzzzz":               `there is no command "zzzzzzzz" (rgate --help`,
		"--prot 80":              "did you mean --port?",
		"--conifg x":             "did you mean --config?",
		"--version":              "did you mean `rgate version`?",
		"serve --log_level info": "did you mean --log-level?",
		"stats --jsno":           "did you mean --json?",
		"stats --zzzzzz":         "unknown flag: --zzzzzz (rgate stats --help lists the flags)",
		"serve --port x":         "rgate serve --help lists the flags",
		"serve extra":            `rgate serve takes no arguments, but got "extra"`,
		"check a.yml":            `rgate check takes no arguments`,
		"drain":                  "rgate drain takes the name or id of one container",
		"undrain a b":            "rgate undrain takes the name or id of one container",
		"explain":                "explain takes a URL or path",
		"explain a b c":          "explain takes a URL or path",
		"help stast":             `did you mean "stats"?`,
		"completion bahs":        "did you mean \"bash\"?",
		"stats --by hour":        `--by "hour" must be route, backend or endpoint`,
	} {
		t.Run(line, func(t *testing.T) {
			a := rgate(t, strings.Fields(line)...)
			a.want(t, 2, want)
			if !strings.HasPrefix(a.stderr, "rgate: ") || strings.Count(a.stderr, "\n") != 1 || a.stdout != "" {
				t.Errorf("not one line on stderr alone: %q, %q", a.stderr, a.stdout)
			}
		})
	}
}

// Every command says what it does, at length, with an example that works.
func TestEveryCommandHasHelp(t *testing.T) {
	root := newRoot(Process{})
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		for _, sub := range cmd.Commands() {
			walk(sub)
		}
		words := strings.Fields(cmd.CommandPath())[1:]
		if cmd.Hidden || slices.Contains(words, "completion") || slices.Contains(words, "help") {
			return // the last two are cobra's own
		}
		path := cmd.CommandPath()
		if cmd.Short == "" || cmd.Long == "" || cmd.Example == "" {
			t.Errorf("%s: short %q, long %q, example %q", path, cmd.Short, cmd.Long, cmd.Example)
		}
		for line := range strings.Lines(cmd.Example) {
			if !strings.HasPrefix(strings.TrimSpace(line), "rgate") {
				t.Errorf("%s: example %q", path, line)
			}
		}
		a := rgate(t, append(words, "--help")...)
		a.want(t, 0, strings.Split(cmd.Long, "\n")[0], strings.TrimSpace(strings.Split(cmd.Example, "\n")[0]), "Usage:")
		if a.stderr != "" {
			t.Errorf("%s --help wrote to stderr: %s", path, a.stderr)
		}
	}
	walk(root)
	if n := len(root.Commands()); n < 12 {
		t.Errorf("only %d commands", n)
	}
}

func TestVersion(t *testing.T) {
	rgate(t, "version").want(t, 0, "rgate ", "commit ", "go1.")
}

func TestSchemaIsJSON(t *testing.T) {
	a := rgate(t, "schema")
	a.want(t, 0, `"$schema"`, "path_prefix")
	if !json.Valid([]byte(a.stdout)) {
		t.Error("no valid JSON")
	}
}

func TestCompletion(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish"} {
		rgate(t, "completion", shell).want(t, 0, "rgate")
	}
	rgate(t, "__complete", "un").want(t, 0, "undrain")
}
