package report

import (
	"fmt"
	"io"
	"strings"
)

// Markdown prints the tables of docs/performance.md: one line per scenario, the figures
// of the references, and those of the others with their ratio to the peer.
func (r *Run) Markdown(w io.Writer) {
	r.cost(w)
	r.latencies(w)
	fmt.Fprintf(w, "%s. Linux %s, %s. Medians of %d interleaved rounds of %g s, by `%s`, %s. %s. In brackets, and in bold where rgate is better: "+
		"the ratio to the cheaper of %s in that line.\n", r.CPU, r.Kernel, r.Go, r.Rounds, r.Seconds, r.Command,
		r.Time.Format("2 January 2006"), r.CPUs, strings.Join(r.references(), " and "))
}

// cost is what each scenario took: processor time, or memory.
func (r *Run) cost(w io.Writer) {
	r.heading(w, "Cost")
	for i := range r.Scenarios {
		s := &r.Scenarios[i]
		c := s.columns()[0]
		r.row(w, s, s.Title+", "+c.title, c)
	}
	fmt.Fprintln(w)
}

// latencies are how long requests took, and how many there were.
func (r *Run) latencies(w io.Writer) {
	r.heading(w, "p99")
	for i := range r.Scenarios {
		s := &r.Scenarios[i]
		if s.Kind == Requests || s.Kind == Rate || s.Kind == Handshakes {
			r.row(w, s, s.Title, byMetric("p99", P99, duration))
		}
	}
	fmt.Fprintln(w)
}

func (r *Run) heading(w io.Writer, title string) {
	fmt.Fprintf(w, "| %s |", title)
	for _, p := range r.Peers {
		fmt.Fprintf(w, " %s |", strings.TrimSpace(p.Name+" "+p.Version))
	}
	fmt.Fprintf(w, "\n|---|%s\n", strings.Repeat("--:|", len(r.Peers)))
}

func (r *Run) row(w io.Writer, s *Scenario, title string, c column) {
	fmt.Fprintf(w, "| %s |", title)
	thePeer := s.ThePeer(r.Peers)
	for _, p := range r.Peers {
		fmt.Fprintf(w, " %s |", cell(s.Result(p.Name), thePeer, p, c))
	}
	fmt.Fprintln(w)
}

func cell(result, thePeer *Result, p Peer, c column) string {
	if result == nil || result.empty() {
		return "–"
	}
	text := c.value(result)
	if p.Reference {
		return text
	}
	value := c.ratio(result, thePeer)
	switch {
	case value == 0:
		return text
	case value < 1 && !p.Aside:
		return fmt.Sprintf("%s (**%.2f**)", text, value)
	}
	return fmt.Sprintf("%s (%.2f)", text, value)
}
