package standard

import (
	"net"
	"sync"
	"time"

	"rgate/internal/upstream"
)

// tunnelBuffer is what a WebSocket holds for each way.
const tunnelBuffer = 8 << 10

// tunnel passes on what a connection carries that is HTTP no more, both ways,
// until both have ended or one broke off. What out holds goes before it.
func (x *exchange) tunnel() upstream.Outcome {
	u, c, conn := &x.up, x.client, x.up.conn
	x.Upgraded = true
	x.BytesOut = int64(len(x.down.pending()))
	if !u.tell(x.out.b) || !u.tell(x.down.pending()) {
		return upstream.Canceled
	}
	u.stop()
	_ = c.SetDeadline(time.Time{}) // these fail on closed connections: so does what follows
	_ = conn.SetDeadline(time.Time{})
	early := x.in.pending() // what the client said since
	for _, b := range []*buffer{&x.down, &x.out, &u.out} {
		b.release()
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		if n, err := conn.Write(early); err != nil {
			x.BytesIn = int64(n)
			_ = c.Close()
			return
		}
		x.BytesIn = int64(len(early)) + pipe(conn, c)
	})
	x.BytesOut += pipe(c, conn)
	wg.Wait()
	return upstream.Answered
}

// pipe moves bytes until from has ended, and passes the end on; where something
// breaks, it closes both. It returns how many arrived.
func pipe(to, from net.Conn) (moved int64) {
	buf := make([]byte, tunnelBuffer)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			sent, broken := to.Write(buf[:n])
			if moved += int64(sent); broken != nil {
				break
			}
		}
		if err == nil {
			continue
		}
		if half, ok := to.(interface{ CloseWrite() error }); ok && isEnd(err) && half.CloseWrite() == nil {
			return moved
		}
		break
	}
	_, _ = to.Close(), from.Close()
	return moved
}
