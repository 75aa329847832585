// Package stats counts what passed through a route or an endpoint: requests by
// status class, latencies, bytes, retries, and what is in flight.
//
// Counters are written on every request, so they are a handful of atomic adds:
// no locks, no allocation once warm, and memory that depends on the spread of
// the latencies seen, never on the number of requests.
//
// The latency buckets are the one source of truth. A request is counted by
// adding one to the bucket of its latency in the histogram of its status class;
// success, error, class counts and percentiles are all sums over those buckets.
// So whatever a reader sees while others write, its totals agree with each
// other, and none of them ever goes back.
package stats
