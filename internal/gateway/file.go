package gateway

import (
	"fmt"
	"sync/atomic"
	"time"

	"rgate/internal/config"
)

const (
	// readPatience is how long the config file may take to be read. One on a
	// network file system whose server is away may take for ever.
	readPatience = 5 * time.Second
	// maxStuck bounds the reads that were given up and have not come back.
	maxStuck = 4
)

// configFile is the file that a running gateway reads again. It is polled:
// editors rename, and a bind mount of a single file tells nobody of a change.
// Reading is done beside the owner, which owns all of this: a read that hangs
// is abandoned, and its goroutine is the only one of ours that may be left at
// the end of the process.
type configFile struct {
	path     string
	patience time.Duration
	read     func() (config.Text, error)
	env      func(string) (string, bool)

	loaded  config.Sum // of what was put in place, or found bad, last
	changed config.Sum // of what the last poll read, where that was new; zero for none
	waiting []reload   // for a read that begins after now
	serving []reload   // for the read under way

	done  chan fileText // of the read under way; nil where there is none
	limit *time.Timer   // for it
	stuck atomic.Int64  // reads that were given up and have not come back
	said  bool          // in the log, that reading hangs
}

type fileText struct {
	config.Text
	err error
}

func newConfigFile(path string, loaded config.Sum, env func(string) (string, bool)) *configFile {
	limit := time.NewTimer(time.Hour)
	limit.Stop()
	return &configFile{path: path, patience: readPatience, read: config.NewReader(path, env).Read, env: env, loaded: loaded, limit: limit}
}

// begin starts a read, for all that wait, unless one is under way: whoever
// began to wait during that one gets the next.
func (f *configFile) begin() {
	if f.done != nil || f.path == "" {
		return
	}
	if f.stuck.Load() >= maxStuck {
		answer(f.waiting, outcome{err: f.hangs()})
		f.waiting = nil
		return
	}
	f.serving, f.waiting = f.waiting, nil
	f.done = make(chan fileText, 1)
	f.limit.Reset(f.patience)
	go func(done chan<- fileText) {
		text, err := f.read()
		done <- fileText{text, err}
	}(f.done)
}

// finish ends the read under way and answers who waited for it.
func (f *configFile) finish() []reload {
	f.limit.Stop()
	served := f.serving
	f.done, f.serving = nil, nil
	return served
}

// abandon gives up the read under way. It tells whether that is to be logged.
func (f *configFile) abandon() (err error, first bool) {
	f.stuck.Add(1)
	go func(done <-chan fileText) { <-done; f.stuck.Add(-1) }(f.done)
	answer(f.finish(), outcome{err: f.hangs()})
	first, f.said = !f.said, true
	return f.hangs(), first
}

func (f *configFile) hangs() error {
	return fmt.Errorf("cannot read %s: nothing came in %v; is it on a file system whose server is away?", f.path, f.patience)
}

// settled tells whether what a poll read is new and was the same at the poll
// before: a file that is still being written is not to be loaded half.
func (f *configFile) settled(text fileText) bool {
	before := f.changed
	f.changed = config.Sum{}
	if text.err != nil || text.Sum() == f.loaded {
		return false // one that cannot be read for a moment has not changed
	}
	f.changed = text.Sum()
	return before == f.changed
}

// parse makes a configuration of what was read. Good or bad, it is not news
// any more.
func (f *configFile) parse(text fileText) (*config.Config, error) {
	if text.err != nil {
		return nil, text.err
	}
	f.loaded, f.changed = text.Sum(), config.Sum{}
	return text.Parse(f.path, f.env)
}
