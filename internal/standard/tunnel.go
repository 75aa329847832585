package standard

import (
	"sync"
	"sync/atomic"
	"time"

	"rgate/internal/buffer"
	"rgate/internal/upstream"
)

// tunnelBuffer is what a WebSocket holds for each way.
const tunnelBuffer = 8 << 10

// tunnel passes on what a connection carries that is HTTP no more, both ways,
// until both have ended or the client broke off. What out holds goes before it.
func (x *exchange) tunnel() upstream.Outcome {
	u, c, conn := &x.up, x.client, x.up.conn
	x.Upgraded = true
	x.BytesOut = int64(len(x.down.Pending()))
	if !u.tell(x.out.B) || !u.tell(x.down.Pending()) {
		return upstream.Canceled
	}
	u.stop()
	_ = c.SetDeadline(time.Time{}) // these fail on closed connections: so does what follows
	_ = conn.SetDeadline(time.Time{})
	early := x.in.Pending() // what the client said since
	for _, b := range []*buffer.Buffer{&x.down, &x.out, &u.out} {
		spare.Put(b)
	}
	t := &tunnel{client: c, endpoint: conn}
	var wg sync.WaitGroup
	wg.Go(func() { x.BytesIn = t.up(early) })
	x.BytesOut += t.down()
	wg.Wait()
	return upstream.Answered
}

// tunnel is a connection that both sides use at once, and end each for itself.
type tunnel struct {
	client   *client
	endpoint *upstreamConn
	over     atomic.Bool // the endpoint has ended
}

// up moves what the client says, early before all. Once the endpoint has ended,
// or takes no more, the client is listened to for as long as it likes to speak,
// or for a moment: closing on unread bytes would reset its connection, and could
// destroy what the endpoint said last. It returns how many bytes arrived.
func (t *tunnel) up(early []byte) (moved int64) {
	var deaf time.Time // until when a client is heard that nobody listens to
	buf := make([]byte, tunnelBuffer)
	for data := early; ; {
		if len(data) > 0 && deaf.IsZero() {
			n, err := t.endpoint.Write(data)
			if moved += int64(n); err != nil {
				deaf = time.Now().Add(lingerTime)
				_ = t.client.SetReadDeadline(deaf)
			}
		}
		n, err := t.client.Read(buf)
		switch {
		case n > 0:
			if data = buf[:n]; t.over.Load() {
				t.hear(deaf)
			}
		case !isEnd(err) || deaf.IsZero() && t.endpoint.CloseWrite() != nil:
			t.close()
			return moved
		default:
			return moved
		}
	}
}

// down moves what the endpoint says, and passes its end on, whether in order or
// not: what it said last is to arrive in both cases.
func (t *tunnel) down() (moved int64) {
	buf := make([]byte, tunnelBuffer)
	for {
		n, _ := t.endpoint.Read(buf)
		if n == 0 {
			t.over.Store(true)
			if t.client.CloseWrite() != nil {
				t.close()
			}
			t.hear(time.Time{})
			return moved
		}
		n, err := t.client.Write(buf[:n])
		if moved += int64(n); err != nil {
			t.close()
			return moved
		}
	}
}

// hear gives a client whose endpoint has ended the time to say more, but no
// longer than until deaf, where that is set.
func (t *tunnel) hear(deaf time.Time) {
	next := time.Now().Add(lingerPause)
	if !deaf.IsZero() && next.After(deaf) {
		next = deaf
	}
	_ = t.client.SetReadDeadline(next)
}

func (t *tunnel) close() { _, _ = t.client.Close(), t.endpoint.Close() }
