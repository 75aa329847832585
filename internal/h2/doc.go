// Package h2 is HTTP/2 (RFC 9113), with nothing of rgate.
//
// Conn is what one side of a connection knows: bytes go in (Feed), bytes to be sent
// come out, and no I/O is done. Session moves these bytes with two goroutines.
//
// A Stream is a net.Conn that speaks HTTP/1.1 in memory. What it reads is the
// message of the other side as HTTP/1.1 has it: a head made of fields that were
// judged one by one, then the body by its length or in chunks, then the trailer
// section. What is written to it is a message of HTTP/1.1, which goes out as
// HEADERS and DATA. So who serves HTTP/1.1 serves HTTP/2, by the same rules; there
// is one message each way on a stream.
//
// Flow control is tied to who uses the stream: its window opens as its bytes are
// read, and a write waits for the window of the other side.
package h2
