// Package proxy decides what happens to a request: which route takes it, which
// endpoint each attempt goes to, when it is tried again, what rgate answers by
// itself, and what is recorded. What routes demand of requests it asks package
// policy. It moves no bytes and never waits, so that the engines that do share
// every decision and it is tested without sockets.
//
// An engine fills an Exchange and calls, in this order:
//
//	Gate.Begin     once, with the request head; where the verdict is to wait,
//	               the Job says what to do after it
//	Exchange.Next  for the first endpoint, and again after each failed attempt
//	Exchange.Head  when a response head arrived, before the client's first byte
//	Exchange.End   exactly once
package proxy
