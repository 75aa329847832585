// The attack program counts what well-behaved clients still get out of rgate
// while others do their worst: slow and silent clients by the thousand, floods
// of connections, answers that nobody reads. `make attack` runs it.
//
// rgate is the real binary with its default limits, once per attack. All is on
// the loopback interface. The attackers run at the lowest priority (nice 19),
// as they share the machine with what they attack: what is measured is what
// they take of rgate, not of the processor.
package main
