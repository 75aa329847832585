package report

import (
	"fmt"
	"io"
	"strings"
)

// column is one figure of a table.
type column struct {
	title string
	value func(*Result) string
	ratio func(r, to *Result) float64
}

// byMetric is a column whose figure each round has.
func byMetric(title string, m Metric, format func(float64) string) column {
	return column{
		title: title,
		value: func(r *Result) string { return format(r.Median(m)) },
		ratio: func(r, to *Result) float64 { return r.Ratio(m, to) },
	}
}

// columns of a scenario's table, by what it is about.
func (s *Scenario) columns() []column {
	cpu := byMetric("CPU/request", CPUPerRequest, duration)
	common := []column{
		byMetric("p50", P50, duration),
		byMetric("p99", P99, duration),
		byMetric("peak RSS", PeakRSS, memory),
	}
	perSecond := byMetric("requests/s", PerSecond, count)
	switch s.Kind {
	case Idle:
		return []column{byMetric("RSS grew by", Grown, memory)}
	case Bulk:
		mb := byMetric("MB/s", s.MBPerSecond, count)
		perGB := byMetric("CPU/GB", s.PerGB(CPUPerRequest), duration)
		return append([]column{perGB, mb}, common...)
	case Handshakes:
		each := byMetric("CPU/connection", CPUPerRequest, duration)
		return append([]column{each, byMetric("connections/s", PerSecond, count)}, common...)
	case Streams:
		return []column{cpu, perSecond, common[2]}
	default:
		return append([]column{cpu, perSecond}, common...)
	}
}

// Header prints what the figures are worth nothing without.
func (r *Run) Header(w io.Writer) {
	fmt.Fprintf(w, "%s, %s\n", r.Command, r.Time.Format("2 January 2006 15:04 MST"))
	fmt.Fprintf(w, "%s; Linux %s; %s\n", r.CPU, r.Kernel, r.Go)
	fmt.Fprintf(w, "%s\n", r.CPUs)
	names := make([]string, len(r.Peers))
	for i, p := range r.Peers {
		names[i] = strings.TrimSpace(p.Name + " " + p.Version)
	}
	fmt.Fprintf(w, "%s\n", strings.Join(names, ", "))
	if r.Ceiling > 0 {
		fmt.Fprintf(w, "Without a gateway between them, load and origin do %s requests/s.\n", count(r.Ceiling))
	}
	fmt.Fprintf(w, "Medians of %d interleaved rounds of %g s. Ratios are medians of the rounds' ratios, to each of\n", r.Rounds, r.Seconds)
	fmt.Fprintf(w, "%s; \"the peer\" is whichever of these was cheaper in that table.\n", strings.Join(r.references(), " / "))
	for _, note := range r.Notes {
		fmt.Fprintf(w, "! %s\n", note)
	}
}

func (r *Run) references() []string {
	var names []string
	for _, p := range r.Peers {
		if p.Reference {
			names = append(names, p.Name)
		}
	}
	return names
}

// Table prints one scenario: the figures, their ratios, and what is wrong.
func (s *Scenario) Table(w io.Writer, peers []Peer) {
	fmt.Fprintf(w, "\n%s\n", s.Title)
	columns := s.columns()
	titles := []string{""}
	for _, c := range columns {
		titles = append(titles, c.title)
	}
	if s.Kind != Idle {
		titles = append(titles, "CPU busy")
	}
	table := grid{titles}
	for i := range s.Results {
		table = append(table, s.figures(&s.Results[i], columns))
	}
	table = append(table, s.ratios(peers, columns)...)
	table.print(w)
	for i := range s.Results {
		for _, warning := range s.Results[i].warnings(s.Kind) {
			fmt.Fprintf(w, "  ! %s: %s\n", s.Results[i].Peer, warning)
		}
	}
	for _, miss := range s.missed(peers) {
		fmt.Fprintf(w, "  ! %s\n", miss)
	}
}

// missed says of each peer that is held to the bar by how much it is above.
func (s *Scenario) missed(peers []Peer) (list []string) {
	thePeer := s.ThePeer(peers)
	for _, p := range peers {
		r := s.Result(p.Name)
		if !p.Held || s.Bar == 0 || r == nil || r.empty() {
			continue
		}
		if got := s.columns()[0].ratio(r, thePeer); got > s.Bar {
			list = append(list, fmt.Sprintf("%s: %.2f of %s, above the bar of %.2f", p.Name, got, thePeer.Peer, s.Bar))
		}
	}
	return list
}

func (s *Scenario) figures(r *Result, columns []column) []string {
	cells := []string{r.Peer}
	if r.empty() {
		return append(cells, "failed")
	}
	for _, c := range columns {
		cells = append(cells, c.value(r))
	}
	if s.Kind != Idle {
		cells = append(cells, fmt.Sprintf("%.0f %%", 100*r.Median(Busy)))
	}
	return cells
}

// ratios are the lines below the figures, with a line that explains them.
func (s *Scenario) ratios(peers []Peer, columns []column) [][]string {
	thePeer := s.ThePeer(peers)
	if thePeer == nil {
		return nil
	}
	to := append(s.References(peers), thePeer)
	var names []string
	for _, r := range to {
		names = append(names, r.Peer)
	}
	names[len(names)-1] = "the peer (" + thePeer.Peer + ")"
	rows := [][]string{{"  ratio to " + strings.Join(names, " / ")}}
	for i := range s.Results {
		if s.Results[i].empty() {
			continue
		}
		cells := []string{s.Results[i].Peer}
		for _, c := range columns {
			var of []string
			for _, r := range to {
				of = append(of, ratio(c.ratio(&s.Results[i], r)))
			}
			cells = append(cells, strings.Join(of, "/"))
		}
		rows = append(rows, cells)
	}
	return rows
}

func (r *Result) empty() bool { return len(r.Rounds) == 0 }

// mostReconnects is how many closed connections per request go unmentioned;
// rgate closes each after 10,000 requests by default.
const mostReconnects = 0.001

// leastBusy is the share of its processor below which a gateway was not the
// bottleneck.
const leastBusy = 0.9

// warnings say why not to trust the figures.
func (r *Result) warnings(kind Kind) []string {
	var list []string
	if r.Failed != "" {
		list = append(list, r.Failed)
	}
	if n, first := r.Errors(); n > 0 {
		list = append(list, fmt.Sprintf("%d wrong answers, the first: %s", n, first))
	}
	if closed := r.Reconnects(); closed > mostReconnects {
		list = append(list, fmt.Sprintf("closed %.1f connections per 1000 requests", 1000*closed))
	}
	if busy := r.Median(Busy); kind == Requests && len(r.Rounds) > 0 && busy < leastBusy {
		list = append(list, fmt.Sprintf("used %.0f %% of its processor: the load, or what else ran here, was the bound of requests/s and latencies", 100*busy))
	}
	return list
}
