package gateway

import (
	"errors"
	"os"

	"rgate/internal/config"
	"rgate/internal/link"
	"rgate/internal/listen"
)

// reload is somebody who wants the file to be read.
type reload struct{ done chan outcome }

// outcome is what came of it.
type outcome struct {
	note string // what is not as it should be though the file is in place
	err  error
}

// answer tells all who asked for a reload what came of it.
func answer(all []reload, out outcome) {
	for _, r := range all {
		r.done <- out
	}
}

var errEnded = errors.New("the gateway has ended")

// Reload reads the config file again and puts it in place, once it is known
// where its endpoints are, or after a while; note says so then. On an error the
// running table stays as it is; the error is the file's *config.Problems, or
// why it could not be read.
func (g *Gateway) Reload() (note string, err error) {
	if g.options.File == "" {
		return "", errors.New("this gateway has no config file to reload")
	}
	r := reload{done: make(chan outcome, 1)}
	select {
	case g.reloads <- r:
	case <-g.ended:
		return "", errEnded
	}
	select {
	case out := <-r.done:
		return out.note, out.err
	case <-g.ended:
		return "", errEnded
	}
}

// RejectedReloads is how many reloads kept the running table because the file
// was bad.
func (g *Gateway) RejectedReloads() int64 { return g.rejected.Load() }

// ask has the file read for r.
func (o *owner) ask(r reload) {
	if o.leaving.Load() {
		answer([]reload{r}, outcome{err: o.whyLeaving()})
		return
	}
	o.tell()
	o.file.waiting = append(o.file.waiting, r)
	o.file.begin()
}

// take takes in what was read of the file.
func (o *owner) take(text fileText) {
	asked := o.file.finish()
	if len(asked) > 0 || o.file.settled(text) {
		o.tell()
		if next, change, err := o.read(text); err != nil {
			answer(asked, outcome{err: err})
		} else {
			o.prepare(next, change, asked)
		}
	}
	if len(o.file.waiting) > 0 {
		o.file.begin()
	}
}

// giveUp ends a read of the file that hangs.
func (o *owner) giveUp() {
	if err, first := o.file.abandon(); first {
		o.log.Error("the configuration cannot be read; the running one stays", "error", err)
	}
	if len(o.file.waiting) > 0 {
		o.file.begin()
	}
}

// read checks what was read of the file, and opens the listeners that it adds;
// nothing else changes.
func (o *owner) read(text fileText) (*config.Config, *listen.Change, error) {
	next, err := o.file.parse(text)
	var change *listen.Change
	var warnings []config.Problem
	if err == nil {
		warnings, err = link.Check(next)
	}
	if err == nil {
		change, err = o.open(next)
	}
	if err != nil {
		o.reject(err)
		return nil, nil, err
	}
	o.warnOfLinks(warnings)
	return next, change, nil
}

// reject says that a configuration is not used.
func (o *owner) reject(err error) {
	o.rejected.Add(1)
	o.log.Error("the new configuration is not used; the running one stays", "file", o.file.path, "rejected_reloads", o.rejected.Load(), "problems", err.Error())
}

// tell says to the service manager that a reload begins, and calm that it is
// over.
func (o *owner) tell() {
	if !o.telling && o.serving() {
		o.telling = true
		o.options.Supervisor.Reloading()
	}
}

func (o *owner) calm() {
	if o.telling && o.pending == nil && len(o.file.serving)+len(o.file.waiting) == 0 {
		o.telling = false
		o.options.Supervisor.Ready()
	}
}

func (g *Gateway) env(name string) (string, bool) {
	if g.options.Env != nil {
		return g.options.Env(name)
	}
	return os.LookupEnv(name)
}
