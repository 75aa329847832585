// Package report keeps and prints what a soak found.
package report

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"rgate/internal/traffic"
)

// Row is one scenario with one gateway.
type Row struct {
	Scenario, Title, Gateway string

	Sent        int
	Lost        map[string]int // by method; without what was unavoidable
	Unavoidable map[string]int // by proof
	Retried     int            // by the client
	Retries     int            // by the gateway, as it counts them; -1 for not known
	P99, Worst  time.Duration
	Examples    []string // of what was lost
	Trouble     string   // why the scenario could not be played to its end
}

// Run is a whole soak.
type Run struct {
	Time    time.Time
	Command string
	Machine string
	Rate    float64
	Rows    []Row
}

// examples is how many lost requests are told of.
const examples = 5

// Sum makes a row of results and the proofs for some of them.
func Sum(results []traffic.Result, proofs map[string]string) Row {
	row := Row{Sent: len(results), Lost: map[string]int{}, Unavoidable: map[string]int{}, Retries: -1}
	latencies := make([]time.Duration, 0, len(results))
	for _, r := range results {
		latencies = append(latencies, r.Latency())
		if r.Retried {
			row.Retried++
		}
		switch proof := proofs[r.ID]; {
		case r.Err == nil:
		case proof != "":
			row.Unavoidable[proof]++
		default:
			row.Lost[r.Method]++
			if len(row.Examples) < examples {
				row.Examples = append(row.Examples, fmt.Sprintf("%s %s (keep-alive %v) sent %s, %v later: %v", r.Method, r.ID, r.Keep,
					r.Sent.Format("15:04:05.000"), r.Answered.Sub(r.Sent).Round(time.Millisecond/10), r.Err))
			}
		}
	}
	if len(latencies) > 0 {
		slices.Sort(latencies)
		row.P99, row.Worst = latencies[(len(latencies)*99+99)/100-1], latencies[len(latencies)-1]
	}
	return row
}

// Failed is how many requests were lost without need.
func (r Row) Failed() (n int) {
	for _, lost := range r.Lost {
		n += lost
	}
	return n
}

// Bad tells whether anything in the row is not as it should be.
func (r Row) Bad() bool { return r.Failed() > 0 || r.Trouble != "" }

var heading = []string{"scenario", "gateway", "sent", "failed", "unavoidable", "retried", "p99", "worst"}

func (r Row) cells(title string) []string {
	failed := fmt.Sprint(r.Failed())
	if r.Failed() > 0 {
		failed += fmt.Sprintf(" (%s)", counts(r.Lost))
	}
	if r.Trouble != "" {
		failed = "broken off"
	}
	unavoidable := "0"
	if len(r.Unavoidable) > 0 {
		unavoidable = counts(r.Unavoidable)
	}
	retried := "?"
	if r.Retries >= 0 {
		retried = fmt.Sprint(r.Retries)
	}
	if r.Retried > 0 {
		retried += fmt.Sprintf(" + %d by the client", r.Retried)
	}
	return []string{title, r.Gateway, fmt.Sprint(r.Sent), failed, unavoidable, retried, short(r.P99), short(r.Worst)}
}

func counts(of map[string]int) string {
	var parts []string
	for _, key := range slices.Sorted(maps.Keys(of)) {
		parts = append(parts, fmt.Sprintf("%d %s", of[key], key))
	}
	return strings.Join(parts, ", ")
}

func short(d time.Duration) string {
	switch {
	case d >= 10*time.Second:
		return fmt.Sprintf("%.0f s", d.Seconds())
	case d >= time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
}

// Header says what the rows are of.
func (r *Run) Header(w io.Writer) {
	fmt.Fprintf(w, "%s, %s, %g requests a second: GET and 100-byte POST, kept alive and not\n\n", r.Time.Format(time.DateOnly), r.Machine, r.Rate)
}

// Line prints a row as it becomes known.
func (r Row) Line(w io.Writer) {
	c := r.cells(r.Scenario)
	fmt.Fprintf(w, "%-20s %-9s sent %-6s failed %-12s unavoidable %-14s retried %-10s p99 %-9s worst %s\n", c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7])
	for _, example := range r.Examples {
		fmt.Fprintf(w, "    lost: %s\n", example)
	}
	if r.Trouble != "" {
		fmt.Fprintf(w, "    broken off: %s\n", r.Trouble)
	}
}

// Table prints all rows.
func (r *Run) Table(w io.Writer) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, strings.Join(heading, "\t"))
	for _, row := range r.Rows {
		fmt.Fprintln(t, strings.Join(row.cells(row.Title), "\t"))
	}
	_ = t.Flush()
}

// Markdown prints the table of docs/performance.md: a line per scenario, a column per gateway.
func (r *Run) Markdown(w io.Writer) {
	var gateways, titles []string
	rows := map[[2]string]Row{}
	for _, row := range r.Rows {
		if !slices.Contains(gateways, row.Gateway) {
			gateways = append(gateways, row.Gateway)
		}
		if !slices.Contains(titles, row.Title) {
			titles = append(titles, row.Title)
		}
		rows[[2]string{row.Title, row.Gateway}] = row
	}
	fmt.Fprintf(w, "| Requests lost | %s |\n|---%s|\n", strings.Join(gateways, " | "), strings.Repeat("|---", len(gateways)))
	for _, title := range titles {
		fmt.Fprintf(w, "| %s |", title)
		for _, gateway := range gateways {
			text := "not played"
			if row, ok := rows[[2]string{title, gateway}]; ok {
				text = row.brief()
			}
			fmt.Fprintf(w, " %s |", text)
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintf(w, "\n`%s`, %s, %s, %g requests a second.\n", r.Command, r.Time.Format(time.DateOnly), r.Machine, r.Rate)
}

// brief is a row in a few words.
func (r Row) brief() string {
	if r.Trouble != "" {
		return "broken off"
	}
	text := fmt.Sprintf("**%d** of %d", r.Failed(), r.Sent)
	if len(r.Unavoidable) > 0 {
		text += " (" + counts(r.Unavoidable) + ")"
	}
	if r.Retries > 0 {
		text += fmt.Sprintf(", %d retried", r.Retries)
	}
	return text + ", worst " + short(r.Worst)
}

// Bad is how many rows are.
func (r *Run) Bad() (n int) {
	for _, row := range r.Rows {
		if row.Bad() {
			n++
		}
	}
	return n
}
