package verdict

import (
	"net/http"
	"slices"
	"time"

	"rgate/internal/traffic"
)

const (
	// News is how long the engine and a gateway may take from a signal's event
	// to sending no more requests.
	News = 100 * time.Millisecond
	// lead is how much earlier than its event a signal may have been sent, and
	// a process ended: a busy engine reports late.
	lead = 2 * time.Second
)

// The proofs.
const (
	Killed   = "killed"   // taken by a process that was killed or ended
	Stopping = "stopping" // taken by a process, or for a listener, that was told to stop
	CutOff   = "cut off"  // taken for a process whose network was just taken away
	Sick     = "sick"     // a server error before the ejection took hold
)

// Fault is what the gateway's log says of a request that it answered itself.
type Fault struct {
	Reason   string // its code; only "upstream_closed" says that bytes were written
	Endpoint string // the container of the last attempt
}

// Ending is an event that says that a container is told to end, has ended, or
// cannot be reached any more.
type Ending struct {
	At   time.Time
	Kind string // Killed, Stopping or CutOff
}

// Evidence is what is known besides the results.
type Evidence struct {
	Faults  map[string]Fault    // by request id
	Endings map[string][]Ending // by container name
	Eject   Eject
}

// Eject is the configured ejection by server errors.
type Eject struct {
	After int           // server errors in a row; 0 for none
	Base  time.Duration // the first ejection, which then doubles; each may be a quarter shorter
}

// Judge answers, by request id, the proof for each failed result that could not
// be helped.
func (e Evidence) Judge(results []traffic.Result) map[string]string {
	proofs := e.sick(results)
	for _, r := range results {
		if kind, ok := e.taken(r); ok {
			proofs[r.ID] = kind
		}
	}
	return proofs
}

func (e Evidence) taken(r traffic.Result) (kind string, ok bool) {
	f, known := e.Faults[r.ID]
	if r.Err == nil || r.Method != http.MethodPost || r.Status != http.StatusBadGateway || r.Reason != "upstream_closed" ||
		!known || f.Reason != r.Reason {
		return "", false
	}
	for _, end := range e.Endings[f.Endpoint] {
		if r.Sent.Before(end.At.Add(News)) && r.Answered.After(end.At.Add(-lead)) {
			return end.Kind, true
		}
	}
	return "", false
}

// sick goes through the server errors of each container in the order they were
// sent: so many as the configuration says until it takes hold, with those that
// were on their way by then; none for the time of the ejection; then one trial.
func (e Evidence) sick(results []traffic.Result) map[string]string {
	proofs := map[string]string{}
	if e.Eject.After == 0 {
		return proofs
	}
	by := map[string][]traffic.Result{}
	for _, r := range results {
		if r.Status == http.StatusInternalServerError && r.ServedBy != "" {
			by[r.ServedBy] = append(by[r.ServedBy], r)
		}
	}
	for _, errors := range by {
		slices.SortFunc(errors, func(a, b traffic.Result) int { return a.Sent.Compare(b.Sent) })
		left, span := e.Eject.After, e.Eject.Base
		var began, over time.Time // of the last ejection
		var counted []time.Time   // towards the next
		for _, r := range errors {
			switch {
			case r.Sent.Before(began): // on its way when the ejection began
			case r.Sent.Before(over):
				continue
			default:
				if counted = append(counted, r.Answered); len(counted) >= left {
					began = slices.MaxFunc(counted, time.Time.Compare)
					over, left, counted = began.Add(span*3/4), 1, nil
					span *= 2
				}
			}
			proofs[r.ID] = Sick
		}
	}
	return proofs
}
