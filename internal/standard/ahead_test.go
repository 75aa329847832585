package standard

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"rgate/internal/config"
	"rgate/internal/listen"
	"rgate/internal/rig/ends"
)

// ahead is a connection whose first request was read before it came here; it
// comes once it may.
type ahead struct {
	*net.TCPConn
	prefix string
	may    chan struct{}
}

func (a *ahead) Ahead() bool { return true }

func (a *ahead) Read(b []byte) (int, error) {
	<-a.may
	if n := copy(b, a.prefix); n > 0 {
		a.prefix = a.prefix[n:]
		return n, nil
	}
	return a.TCPConn.Read(b)
}

// A connection whose request was read already makes room for nobody until it is
// answered, though its peer is silent and holds all the room there is.
func TestARequestThatWasReadAlreadyIsNotPutOut(t *testing.T) {
	r := start(t, func(c *config.Config) { c.Limits.Connections = 1 }, backend(t, func(http.ResponseWriter, *http.Request) {}))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	peer, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	_ = peer.SetDeadline(time.Now().Add(ends.Patience))
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	a := &ahead{TCPConn: c.(*net.TCPConn), prefix: "GET / HTTP/1.1\r\nHost: h\r\n\r\n", may: make(chan struct{})}
	r.open(a, listen.New(l, config.Listener{}))
	if r.MakeRoom(0) {
		t.Error("it was put out before its request was read")
	}
	close(a.may)
	response, err := http.ReadResponse(bufio.NewReader(peer), nil)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%v %v", response, err)
	}
	for end := time.Now().Add(ends.Patience); !r.MakeRoom(0); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("an idle one makes no room")
		}
	}
	if _, err := io.ReadAll(peer); err != nil {
		t.Error(err)
	}
}

// Who holds little makes no room where somebody else holds much.
func TestTheLightMakeNoRoomForTheHeavy(t *testing.T) {
	r := start(t, nil, backend(t, func(http.ResponseWriter, *http.Request) {}))
	p := r.dial()
	p.say("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	p.response(http.MethodGet)
	r.eventually("it is put out", func() bool {
		if r.MakeRoom(1) {
			t.Error("it made room for the heavy")
			return true
		}
		return r.MakeRoom(0)
	})
}
