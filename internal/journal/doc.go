// Package journal takes records from threads that must not wait and brings
// them to a descriptor that may make others wait: a pipe whose reader is slow,
// has stopped or is gone. A record is put into a bounded ring; one goroutine
// owns the descriptor. What finds no room is dropped, what the descriptor
// refuses is lost, and both are counted and told.
package journal
