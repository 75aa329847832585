package stats

// Report is the answer of /stats. Its JSON is a contract: these keys, in this
// order, with numbers.
type Report struct {
	Requests RequestsCount `json:"requests_count"`
	Latency  LatencyMS     `json:"latency_ms"`
}

// RequestsCount is the number of requests by outcome.
type RequestsCount struct {
	Success uint64 `json:"success"`
	Error   uint64 `json:"error"`
}

// LatencyMS sums up latencies, in milliseconds to three decimals.
type LatencyMS struct {
	Average float64 `json:"average"`
	P95     float64 `json:"p95"`
	P99     float64 `json:"p99"`
}

// ItemReport is the report on one route, backend or endpoint.
type ItemReport struct {
	Report
	InFlight int64  `json:"in_flight"`
	BytesIn  uint64 `json:"bytes_in"`
	BytesOut uint64 `json:"bytes_out"`
	Retries  uint64 `json:"retries"`
	// Truncated counts answers that an endpoint broke off in their body. Their
	// statuses, which were out by then, are in Classes.
	Truncated uint64        `json:"truncated"`
	Classes   StatusClasses `json:"status_classes"`
}

// StatusClasses is the number of exchanges by status class. Success and
// Redirection make up a report's success, ClientError and ServerError its
// error; Informational (upgraded connections) is in neither.
type StatusClasses struct {
	Informational uint64 `json:"1xx"`
	Success       uint64 `json:"2xx"`
	Redirection   uint64 `json:"3xx"`
	ClientError   uint64 `json:"4xx"`
	ServerError   uint64 `json:"5xx"`
}

// Report is the snapshot as /stats shows it.
func (s Snapshot) Report() Report {
	all := s.all()
	return Report{
		Requests: RequestsCount{Success: s.Success(), Error: s.Error()},
		Latency: LatencyMS{
			Average: s.average(all),
			P95:     milliseconds(all.percentile(95)),
			P99:     milliseconds(all.percentile(99)),
		},
	}
}

// ItemReport is the snapshot as /stats?by=… shows it.
func (s Snapshot) ItemReport() ItemReport {
	return ItemReport{
		Report:    s.Report(),
		InFlight:  s.InFlight,
		BytesIn:   s.BytesIn,
		BytesOut:  s.BytesOut,
		Retries:   s.Retries,
		Truncated: s.Truncated,
		Classes:   s.Classes(),
	}
}
