//go:build !unix

package standard

import "net"

// canLook tells whether ended knows.
const canLook = false

// ended cannot tell here: a closed connection shows when it is used.
func ended(net.Conn) bool { return false }

// waiting cannot tell here.
func waiting(any) bool { return false }
