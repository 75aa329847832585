// The bench compares rgate with nginx and HAProxy on this machine, side by side
// and in turns, and prints what a request costs in each. `make bench` runs it.
//
// Each gateway runs on one processor, the load and the origin on another. All
// of them are started by the bench, listen on the loopback interface, and are
// ended by it. Processor time is read by the load itself at both ends of what
// it measures, so that nothing but the measured requests is in it. HTTPS is
// spoken with crypto/tls over the same loop, HTTP/2 by h2load.
package main
