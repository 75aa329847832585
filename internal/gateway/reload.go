package gateway

import (
	"errors"
	"os"

	"rgate/internal/config"
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
	case <-g.ended:
		return errEnded
	}
	select {
	case err := <-r.done:
		return err
	case <-g.ended:
		return errEnded
	}
}

// RejectedReloads is how many reloads kept the running table because the file
// was bad.
func (g *Gateway) RejectedReloads() int64 { return g.rejected.Load() }

// reload checks what was read of the file; it changes nothing but the source's
// selectors, and only where all is well.
func (g *Gateway) reload(running *config.Config, text fileText) (*config.Config, error) {
	if g.serving() {
		g.options.Supervisor.Reloading()
		defer g.options.Supervisor.Ready()
	}
	next, err := g.file.parse(text, g.env)
	if err != nil {
		g.rejected.Add(1)
		g.log.Error("the new configuration is not used; the running one stays", "file", g.file.path, "rejected_reloads", g.rejected.Load(), "problems", err.Error())
		return nil, err
	}
	if keys := config.RestartNeeded(running, next); len(keys) > 0 {
		g.log.Warn("some changes take effect only after a restart", "keys", keys)
	}
	g.sources.choose(next)
	g.log.Info("configuration reloaded", "file", g.file.path, "routes", len(next.Routes), "backends", len(next.Backends))
	return next, nil
}

func (g *Gateway) env(name string) (string, bool) {
	if g.options.Env != nil {
		return g.options.Env(name)
	}
	return os.LookupEnv(name)
}
