package cert

import (
	"path/filepath"
	"strings"
)

// StateDir is the directory of what is to outlive a process: the one that the
// configuration names, else that of the service manager, else one by the user
// that the process runs as.
func StateDir(said string, uid int, env func(name string) (string, bool)) string {
	const system = "/var/lib/rgate"
	get := func(name string) string { value, _ := env(name); return value }
	given, _, _ := strings.Cut(get("STATE_DIRECTORY"), ":") // systemd.exec(5): there may be several
	switch home := get("HOME"); {
	case said != "":
		return said
	case given != "":
		return given
	case uid == 0:
		return system
	case filepath.IsAbs(get("XDG_STATE_HOME")):
		return filepath.Join(get("XDG_STATE_HOME"), "rgate")
	case filepath.IsAbs(home) && home != "/": // which is that of a user without one
		return filepath.Join(home, ".local/state/rgate")
	}
	return system
}
