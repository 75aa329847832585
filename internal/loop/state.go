//go:build linux

package loop

// extent is how much of a message has gone by.
type extent uint8

const (
	nothing extent = iota
	part
	whole
)

// headed tells whether the answer's head is here.
func (a *attempt) headed() bool { return a.got != nothing }

// taking says whether an endpoint takes a request.
type taking uint8

const (
	takes taking = iota
	deaf         // it takes no more
	cut          // and has reset the connection without having ended its side: see stopSending
)

// framing is how an answer tells where it ends.
type framing uint8

const (
	sized    framing = iota // by its head
	inChunks                // by its last chunk
	untilEnd                // by the end of the client's connection
)

// step is what came of moving bytes once.
type step uint8

const (
	stall step = iota // nothing more can be moved for now
	again             // something was moved: maybe there is more
	over              // what was being moved has ended, or failed
)

func moved(something bool) step {
	if something {
		return again
	}
	return stall
}
