package docker

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"reflect"
	"slices"
	"time"

	"rgate/internal/discovery"
)

// watch is one running Watch. All its fields belong to the goroutine of run;
// others (the list under way, probes, the event stream) report by channels.
type watch struct {
	source *Source
	emit   func(discovery.View)
	log    *slog.Logger
	timing timing
	prober *prober
	lister *lister
	memory memory

	selectors selectors // what the view answers
	wanted    wanted    // what it is to answer
	changing  bool      // the two differ
	proving   time.Time // a list for wanted is in, and waits until then for probes; zero before
	place     place
	facts     map[string]facts // by the last list
	count     int              // events heard
	listed    int              // count at which the last list was asked for
	since     int64            // engine's time of the last event, for the next stream
	complete  bool             // there was a list
	hold      time.Time        // the first view waits for probes until then

	stale     string // why the engine cannot be asked; "" while it answers
	emitted   bool
	last      discovery.View
	mentioned map[mention]bool // what the log said already
}

// errStreamEnded is how a session ends when the engine's event stream does. It
// alone does not mean that the engine cannot be asked: proxies cut idle
// streams.
var errStreamEnded = errors.New("the event stream ended")

// run holds one session with the engine after the other.
func (w *watch) run(ctx context.Context) error {
	for failures := 0; ; {
		begun := time.Now()
		err := w.session(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if time.Since(begun) > w.timing.settled {
			failures = 0
		}
		ended := errors.Is(err, errStreamEnded)
		w.log.Debug("the session with the Docker engine ended", "reason", err)
		if !ended {
			w.markStale(err)
		}
		if ended && failures == 0 && time.Since(begun) > w.timing.settled {
			continue
		}
		w.wait(ctx, backoff(w.timing, failures))
		failures++
	}
}

// backoff doubles up to the ceiling; half of it is random, so that many
// gateways do not come back to a restarted engine all at once.
func backoff(t timing, failures int) time.Duration {
	d := t.ceiling
	if failures < 16 {
		d = min(d, t.backoff<<failures)
	}
	return d/2 + rand.N(d/2+1)
}

// wait keeps the view up to date with what is known without the engine.
func (w *watch) wait(ctx context.Context, d time.Duration) {
	over := time.NewTimer(d)
	defer over.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-over.C:
			return
		case <-w.source.poked:
			w.change()
		case <-w.prober.changed:
		}
		w.publish()
	}
}

// change takes note of what the view is to answer. It answers the old until
// there is a list for the new.
func (w *watch) change() {
	w.wanted, w.changing, w.proving = w.source.selected(), true, time.Time{}
}

// settle has the view answer what is wanted.
func (w *watch) settle() {
	if !reflect.DeepEqual(w.selectors, w.wanted.selectors) {
		w.selectors = w.wanted.selectors
	}
	w.changing, w.proving = false, time.Time{}
}

// sought are the selectors that a list has to answer.
func (w *watch) sought() selectors {
	if !w.changing {
		return w.selectors
	}
	return slices.Concat(w.selectors, w.wanted.selectors)
}

// markStale tells once, in the log and in the view, that what rgate knows may
// be old.
func (w *watch) markStale(err error) {
	if w.stale != "" {
		return
	}
	w.stale = explain(err, w.source.engine.target, w.timing.patience, readMountinfo())
	message := "cannot ask the Docker engine, so no container is known yet"
	if w.complete {
		message = "cannot ask the Docker engine: the endpoints last known are kept, and may be stale"
	}
	w.log.Warn(message, "engine", w.source.engine.Host(), "reason", w.stale)
	w.publish()
}

// markFresh takes markStale back.
func (w *watch) markFresh() {
	if w.stale != "" {
		w.stale = ""
		w.log.Info("the Docker engine answers again", "engine", w.source.engine.Host())
	}
}
