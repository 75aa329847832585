package gateway

import (
	"bytes"
	"errors"
	"os"

	"rgate/internal/config"
	"rgate/internal/route"
)

type reload struct{ done chan error }

// Reload reads the config file again and puts it in place. On an error the
// running table stays as it is; the error is the file's *config.Problems, or
// why it could not be read.
func (g *Gateway) Reload() error {
	if g.options.File == "" {
		return errors.New("this gateway has no config file to reload")
	}
	r := reload{done: make(chan error, 1)}
	select {
	case g.reloads <- r:
		return <-r.done
	case <-g.ended:
		return errors.New("the gateway has ended")
	}
}

// RejectedReloads is how many reloads kept the running table because the file
// was bad.
func (g *Gateway) RejectedReloads() int64 { return g.rejected.Load() }

// reload reads and checks the file; it changes nothing but the source's
// selectors, and only where all is well.
func (g *Gateway) reload(running *config.Config) (*config.Config, error) {
	if g.serving() {
		g.options.Supervisor.Reloading()
		defer g.options.Supervisor.Ready()
	}
	next, err := g.file.load(g.env)
	if err != nil {
		g.rejected.Add(1)
		g.log.Error("the new configuration is not used; the running one stays", "file", g.file.path, "rejected_reloads", g.rejected.Load(), "problems", err.Error())
		return nil, err
	}
	if keys := config.RestartNeeded(running, next); len(keys) > 0 {
		g.log.Warn("some changes take effect only after a restart", "keys", keys)
	}
	g.source.Select(route.Selectors(next))
	g.log.Info("configuration reloaded", "file", g.file.path, "routes", len(next.Routes), "backends", len(next.Backends))
	return next, nil
}

func (g *Gateway) env(name string) (string, bool) {
	if g.options.Env != nil {
		return g.options.Env(name)
	}
	return os.LookupEnv(name)
}

// watchedFile knows the content it saw last. It polls: editors rename, and a
// bind mount of a single file tells nobody of a change.
type watchedFile struct {
	path string
	data []byte
}

func newWatchedFile(path string) *watchedFile {
	f := &watchedFile{path: path}
	f.changed()
	return f
}

// changed tells whether the content is another than at the last call. A file
// that cannot be read for a moment has not changed.
func (f *watchedFile) changed() bool {
	if f.path == "" {
		return false
	}
	data, err := config.Read(f.path)
	if err != nil || bytes.Equal(data, f.data) {
		return false
	}
	f.data = data
	return true
}

// load parses the file as it is now.
func (f *watchedFile) load(env func(string) (string, bool)) (*config.Config, error) {
	data, err := config.Read(f.path)
	if err != nil {
		return nil, err
	}
	f.data = data
	return config.Parse(f.path, data, env)
}
