// Package loop is the engine on epoll (Linux): HTTP/1.x from client to endpoint
// and back, in the clear or over TLS, at the cost of a relay. Each loop is one goroutine locked
// to its thread and owns its client connections, its upstream connections and
// its pool, so that nothing is shared or locked per request.
//
// One rule to keep in mind: the loop does what never waits. An exchange that has
// to wait, for a place in a queue, the statistics page or a policy, is suspended
// for a proxy.Job, and resumed once that is done (suspend.go). What is HTTP no more
// (a WebSocket) is handed over with its descriptor and the bytes read so far, with
// TLS on it where it has that (secure.go, below.go, greet.go). Endpoints are addresses: names are
// looked up elsewhere.
//
// A client that ends its sending side while its request is with an endpoint, or
// waits for one, counts as gone, as it does with nginx: a close and a half-close
// look alike from here. With half_close: answer it counts as waiting. When the
// end came makes no difference in either case, and answers of rgate's own are
// sent in both.
package loop
