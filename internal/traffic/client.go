//go:build linux

package traffic

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"syscall"
	"time"
)

// patience is how long a client waits for an answer.
const patience = 30 * time.Second

// errClosed is that a connection ended before a byte of the answer.
var errClosed = errors.New("the connection was closed before an answer")

// client keeps connections alive as a correct client does: it looks at one
// before it uses it, and sends a GET again whose connection turns out to be
// closed before a byte of the answer came.
type client struct {
	address string
	secure  *tls.Config // nil for plain HTTP

	mu   sync.Mutex
	idle []*connection // the latest last
}

type connection struct {
	net.Conn
	socket *net.TCPConn // below TLS, if any
	reader *bufio.Reader
	reused bool
}

func (c *client) do(r Request) Result {
	result := Result{Request: r}
	for fresh := false; ; fresh = true {
		conn, err := c.connect(r.Keep && !fresh)
		if err != nil {
			result.Sent, result.Answered, result.Err = time.Now(), time.Now(), err
			return result
		}
		result.Sent = time.Now()
		err = c.exchange(conn, &result)
		if errors.Is(err, errClosed) && conn.reused && r.Method == http.MethodGet {
			result.Retried = true
			continue
		}
		result.Answered, result.Err = time.Now(), err
		return result
	}
}

// connect is an idle connection, else a new one.
func (c *client) connect(reuse bool) (*connection, error) {
	for reuse {
		c.mu.Lock()
		n := len(c.idle)
		if n == 0 {
			c.mu.Unlock()
			break
		}
		conn := c.idle[n-1]
		c.idle = c.idle[:n-1]
		c.mu.Unlock()
		if conn.alive() {
			conn.reused = true
			return conn, nil
		}
		conn.Close()
	}
	conn, err := net.DialTimeout("tcp", c.address, patience)
	if err != nil {
		return nil, err
	}
	socket := conn.(*net.TCPConn)
	if c.secure != nil {
		over := tls.Client(conn, c.secure)
		_ = conn.SetDeadline(time.Now().Add(patience))
		if err := over.Handshake(); err != nil {
			conn.Close()
			return nil, fmt.Errorf("handshake: %w", err)
		}
		conn = over
	}
	return &connection{Conn: conn, socket: socket, reader: bufio.NewReader(conn)}, nil
}

// exchange sends a request and reads its answer into result.
func (c *client) exchange(conn *connection, result *Result) error {
	keep := false
	defer func() {
		if !keep {
			conn.Close()
			return
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.idle = append(c.idle, conn)
	}()
	_ = conn.SetDeadline(time.Now().Add(patience))
	// A failed write is no reason not to read: the answer may be there already.
	_, writeErr := conn.Write(result.bytes())
	if _, err := conn.reader.Peek(1); err != nil {
		if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
			return fmt.Errorf("no answer within %v", patience)
		}
		return errClosed
	}
	response, err := http.ReadResponse(conn.reader, &http.Request{Method: result.Method})
	if err != nil {
		return fmt.Errorf("cannot read the answer: %w", err)
	}
	result.Status = response.StatusCode
	result.Reason, result.ServedBy = response.Header.Get("X-Rgate-Reason"), response.Header.Get("X-Served-By")
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return fmt.Errorf("the answer broke off: %w", err)
	}
	keep = result.Keep && !response.Close && writeErr == nil && conn.reader.Buffered() == 0
	return result.check(response.StatusCode, body)
}

// alive tells whether the other side has neither closed an idle connection nor
// sent what nobody asked for.
func (c *connection) alive() bool {
	raw, err := c.socket.SyscallConn()
	if err != nil {
		return false
	}
	alive := false
	err = raw.Control(func(fd uintptr) {
		var one [1]byte
		_, _, err := syscall.Recvfrom(int(fd), one[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		alive = err == syscall.EAGAIN
	})
	return err == nil && alive
}

func (c *client) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range c.idle {
		conn.Close()
	}
	c.idle = nil
}
