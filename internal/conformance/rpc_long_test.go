//go:build linux

package conformance

import (
	"io"
	"net/http"
	"testing"

	"rgate/internal/config"
	"rgate/internal/route"
)

// A call that says much, both ways at once, to who reads it in small pieces and
// tells of each, lives through a hundred reloads.
func TestALongCallOutlivesReloads(t *testing.T) {
	endpoint, change := spoken(t, config.SchemeGRPC, func(w http.ResponseWriter, r *http.Request) {
		control := http.NewResponseController(w)
		w.Header().Set("Trailer", "Grpc-Status")
		w.WriteHeader(200)
		b := make([]byte, 64<<10)
		for err := error(nil); err == nil; {
			var n int
			_ = control.Flush()
			n, err = r.Body.Read(b)
			_, _ = w.Write(b[:n])
		}
		w.Header().Set("Grpc-Status", "0")
	})
	speaks(t, endpoint, change, func(t *testing.T, h *talk) {
		const piece, total = 512 << 10, 50 << 20
		pipe, in := io.Pipe()
		go func() {
			defer in.Close()
			b := make([]byte, piece)
			for range total / piece {
				if _, err := in.Write(b); err != nil {
					return
				}
				cfg := *h.Gate.Table().Config
				h.Swap(route.Build(&cfg, nil, h.Gate.Table()))
			}
		}()
		res, err := h.Transport.RoundTrip(aCall(t, h.url+"/shop.Orders/Chat", pipe))
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if n, err := io.Copy(io.Discard, res.Body); n != total || err != nil || res.Trailer.Get("Grpc-Status") != "0" {
			t.Errorf("%d bytes came back, %v, %v", n, res.Trailer, err)
		}
	})
}
