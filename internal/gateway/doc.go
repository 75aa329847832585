// Package gateway wires everything: one goroutine owns the configuration, the
// views of the sources and the table, and puts each new table in place.
package gateway
