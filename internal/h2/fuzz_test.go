package h2

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"testing"

	"golang.org/x/net/http2"
)

// frames makes bytes from dice: most frames are well-formed, on few streams.
func frames(d *rand.Rand, n int) []byte {
	var b bytes.Buffer
	f := http2.NewFramer(&b, nil)
	f.AllowIllegalWrites = true
	b.WriteString(Preface)
	_ = f.WriteSettings()
	next := uint32(1)
	for range n {
		id := uint32(d.IntN(12))
		switch d.IntN(14) {
		case 0, 1, 2:
			_ = f.WriteHeaders(http2.HeadersFrameParam{StreamID: next, BlockFragment: get, EndHeaders: d.IntN(20) > 0, EndStream: d.IntN(2) == 0, PadLength: uint8(d.IntN(3))})
			next += 2
		case 3, 4, 5:
			_ = f.WriteDataPadded(id|1, d.IntN(4) == 0, make([]byte, d.IntN(20_000)%(1+d.IntN(16_000))), make([]byte, d.IntN(2)*d.IntN(200)))
		case 6:
			_ = f.WriteRSTStream(id|1, http2.ErrCodeCancel)
		case 7:
			_ = f.WriteWindowUpdate(id, uint32(d.IntN(1<<d.IntN(31)))|1)
		case 8:
			_ = f.WriteSettings(http2.Setting{ID: http2.SettingID(d.IntN(9)), Val: uint32(d.IntN(1 << d.IntN(25)))})
		case 9:
			_ = f.WritePing(d.IntN(2) == 0, [8]byte{1})
		case 10:
			_ = f.WritePriority(id|1, http2.PriorityParam{StreamDep: uint32(d.IntN(12))})
		case 11:
			_ = f.WriteHeaders(http2.HeadersFrameParam{StreamID: id | 1, BlockFragment: encoded("x-trailer", "1"), EndHeaders: true, EndStream: d.IntN(8) > 0})
		case 12:
			_ = f.WriteRawFrame(http2.FrameType(d.IntN(20)), http2.Flags(d.IntN(256)), id, make([]byte, d.IntN(20)))
		case 13:
			_ = f.WriteContinuation(id|1, true, get)
		}
	}
	return b.Bytes()
}

// Whatever comes, however it is cut, a connection ends or goes on, what it holds
// is bounded, and the outcome does not depend on the cuts.
func TestRandomFrames(t *testing.T) {
	for seed := range uint64(300) {
		all := frames(rand.New(rand.NewPCG(seed, 1)), 60)
		whole, err := fed(t, all, nil)
		pieces, other := fed(t, all, rand.New(rand.NewPCG(seed, 2)))
		if (err == nil) != (other == nil) || err != nil && err.Error() != other.Error() || !bytes.Equal(whole, pieces) {
			t.Errorf("seed %d: %v and %d bytes, in pieces %v and %d bytes", seed, err, len(whole), other, len(pieces))
		}
	}
}

// fed is what a connection answers to bytes, with nobody there for its streams.
// cuts, if any, says how they come.
func fed(t *testing.T, all []byte, cuts *rand.Rand) (out []byte, err error) {
	c := New(Options{Streams: 5, Head: 1 << 10, Fields: 20})
	var pending []byte
	for len(all) > 0 && err == nil {
		n := len(all)
		if cuts != nil {
			n = 1 + cuts.IntN(min(n, 1+cuts.IntN(3000)))
		}
		pending = append(pending, all[:n]...)
		all = all[n:]
		var taken int
		taken, err = c.Feed(pending)
		if pending = pending[taken:]; err == nil && len(pending) > frameHead+maxFrame {
			t.Fatalf("%d bytes are left", len(pending))
		}
		held := 0
		for _, s := range c.streams {
			held += len(s.in.Pending())
		}
		if held > connWindow || len(c.streams) > 5 {
			t.Fatalf("%d bytes are held, of %d streams", held, len(c.streams))
		}
	}
	for _, s := range c.Opened() {
		_ = s.Close()
	}
	out, _ = c.Take()
	return out, err
}

// FuzzFeed holds that for what a fuzzer thinks of.
func FuzzFeed(f *testing.F) {
	for seed := range uint64(5) {
		f.Add(frames(rand.New(rand.NewPCG(seed, 1)), 10))
	}
	f.Fuzz(func(t *testing.T, b []byte) { _, _ = fed(t, b, nil) })
}

// FuzzFrames compares with x/net's framer: what that refuses is refused.
func FuzzFrames(f *testing.F) {
	for seed := range uint64(5) {
		f.Add(frames(rand.New(rand.NewPCG(seed, 1)), 10)[len(Preface):])
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		framer := http2.NewFramer(io.Discard, bytes.NewReader(b))
		framer.SetMaxReadFrameSize(maxFrame)
		c := New(Options{Streams: 1000, Head: 1 << 20, Fields: 1000})
		feed(t, c, []byte(Preface))
		at := 0
		for {
			got, err := framer.ReadFrame()
			var connection http2.ConnectionError
			if errors.As(err, &connection) {
				for len(b) > at {
					n, wrong := c.Feed(b[at:])
					if at += n; wrong != nil {
						return
					}
					if n == 0 {
						break
					}
				}
				t.Fatalf("%v is no error here", err)
			}
			if err != nil {
				return
			}
			length := frameHead + int(got.Header().Length)
			n, wrong := c.Feed(b[at : at+length])
			if at += n; wrong != nil {
				return
			}
			if n != length {
				t.Fatalf("of %v %d bytes were taken", got, n)
			}
		}
	})
}
