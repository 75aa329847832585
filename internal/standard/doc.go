// Package standard is the engine on net/http: its server, and
// httputil.ReverseProxy with a tuned transport. It runs everywhere and may
// wait, and leaves every decision to package proxy.
//
// How a request goes through: the listener bounds connections, net/http reads
// the head, Engine.ServeHTTP fills an exchange and asks the gate. A request
// that is to be forwarded goes into ReverseProxy, whose transport is the
// exchange itself: its RoundTrip loops over the endpoints the gate names, and
// each endpoint has an http.Transport of its own.
package standard
