package docker

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"rgate/internal/discovery"
)

// verdict is what can be said of a container for a backend without connecting
// to it.
type verdict struct {
	discovery.Candidate
	tries []string // addresses to reach it by, in order of preference
	fault bool     // Reason is a mistake in how the container is set up
}

// judge looks at one container for one backend.
func judge(f facts, s discovery.Selector, p place) verdict {
	v := verdict{Candidate: discovery.Candidate{
		Backend: s.Backend, ID: f.id, Name: f.name, Created: f.created, Started: f.started,
		Generation: f.labels[s.GenerationLabel],
	}}
	v.Weight, v.Note = weigh(f, s)
	if v.Reason = missingLabel(f, s); v.Reason != "" {
		v.Foreign = true
		return v
	}
	v.Reason = unfit(f)
	port, note := choosePort(f, s)
	v.Note = strings.Trim(v.Note+"; "+note, "; ")
	if port == 0 {
		if v.Reason == "" {
			v.Reason, v.fault = "no TCP port: expose one, or set the backend's port", true
		}
		return v
	}
	tries, reason := addresses(f, s, p, port)
	if v.tries = tries; len(tries) > 0 {
		v.Address = tries[0]
	} else if v.Reason == "" {
		v.Reason, v.fault = reason, true
	}
	return v
}

// selects tells whether the container has all labels of the selector.
func selects(s discovery.Selector, labels map[string]string) bool {
	for _, l := range s.Labels {
		if !l.Matches(labels) {
			return false
		}
	}
	return len(s.Labels) > 0 // a selector without labels would take everything
}

func missingLabel(f facts, s discovery.Selector) string {
	for _, l := range s.Labels {
		if l.Matches(f.labels) {
			continue
		}
		if value, ok := f.labels[l.Key]; ok {
			return fmt.Sprintf("missing label %s (has %s=%s)", l, l.Key, value)
		}
		return fmt.Sprintf("missing label %s", l)
	}
	return ""
}

// unfit says why the container's state keeps it from taking requests.
func unfit(f facts) string {
	switch {
	case f.state == "paused":
		return "paused"
	case f.state != "running":
		return fmt.Sprintf("not running (%s)", f.state)
	case f.health == "starting":
		return "health: starting"
	case f.health == "unhealthy":
		return "health: unhealthy"
	}
	return ""
}

// weigh reads the weight label.
func weigh(f facts, s discovery.Selector) (weight int, note string) {
	text, ok := f.labels[s.WeightLabel]
	if s.WeightLabel == "" || !ok {
		return 1, ""
	}
	weight, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil || weight < 1 || weight > 1_000_000 {
		return 1, fmt.Sprintf("container %s has %s=%s, which is no whole number from 1 to 1000000: taken as 1", f.name, s.WeightLabel, text)
	}
	return weight, ""
}

// choosePort answers 0 where there is none.
func choosePort(f facts, s discovery.Selector) (port int, note string) {
	switch {
	case s.Port != 0:
		return s.Port, ""
	case len(f.exposed) == 0:
		return 0, ""
	case len(f.exposed) == 1:
		return f.exposed[0], ""
	}
	ports := make([]string, len(f.exposed))
	for i, p := range f.exposed {
		ports[i] = strconv.Itoa(p)
	}
	return f.exposed[0], fmt.Sprintf("container %s exposes ports %s: took %d, the lowest; set port for backend %s to choose",
		f.name, strings.Join(ports, ", "), f.exposed[0], s.Backend)
}

// order sorts candidates as a view has them.
func order(a, b discovery.Candidate) int {
	return slices.Compare([]string{a.Backend, a.Name, a.ID}, []string{b.Backend, b.Name, b.ID})
}
