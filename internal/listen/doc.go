// Package listen is the sockets that take traffic: each is a listener with a
// name, which engines accept from and every connection knows.
package listen
