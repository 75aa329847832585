package wire

import (
	"encoding/base64"
	"math/rand/v2"
	"testing"

	"rgate/internal/h1"
	"rgate/internal/proxy"
)

// Base64 is read the same however it is cut, and padded pieces may follow each other.
func TestWebText(t *testing.T) {
	for raw, want := range map[string]string{
		"": "", "aGVsbG8=": "hello", "aGVsbG8=d29ybGQ=": "helloworld", "aA==aQ==": "hi", "AAAAAAA=": "\x00\x00\x00\x00\x00",
	} {
		for step := 1; step <= len(raw)+1; step++ {
			var d WebText
			var got []byte
			for rest := []byte(raw); len(rest) > 0; {
				n := min(step, len(rest))
				var err error
				if got, err = d.Append(got, rest[:n]); err != nil {
					t.Fatalf("%q by %d: %v", raw, step, err)
				}
				rest = rest[n:]
			}
			if string(got) != want || !d.Whole() {
				t.Errorf("%q by %d is %q", raw, step, got)
			}
		}
	}
	for _, raw := range []string{"aGV%", "a===", "====", "aGVsbG8=\r\naGVs", "aA=b", "aB==", "aGV-"} {
		var d WebText
		if got, err := d.Append(nil, []byte(raw)); err == nil {
			t.Errorf("%q is %q", raw, got)
		}
	}
	var d WebText
	if _, err := d.Append(nil, []byte("aGVsbG8")); err != nil || d.Whole() {
		t.Error("half a group is whole")
	}
}

func TestWebAnswers(t *testing.T) {
	text, binary := &proxy.Exchange{RPC: proxy.GRPCWebText}, &proxy.Exchange{RPC: proxy.GRPCWeb}
	trailer := []h1.Field{{Name: []byte("Grpc-Status"), Value: []byte("0")}, {Name: []byte("X-Bin"), Value: []byte("aA")}}
	frame := "\x80\x00\x00\x00\x1bgrpc-status: 0\r\nx-bin: aA\r\n"
	if got := string(AppendWebTrailer(nil, trailer, binary, false)); got != frame {
		t.Errorf("binary: %q", got)
	}
	if got := string(AppendWebTrailer([]byte("x"), trailer, text, true)); got != "x2c\r\n"+base64.StdEncoding.EncodeToString([]byte(frame))+"\r\n" {
		t.Errorf("text: %q", got)
	}
	var sent, told []byte
	for range 100 {
		piece := make([]byte, rand.IntN(50))
		for i := range piece {
			piece[i] = byte(rand.Int())
		}
		sent, told = append(sent, piece...), AppendWebBody(told, piece, text, false)
	}
	var d WebText
	if got, err := d.Append(nil, told); err != nil || string(got) != string(sent) {
		t.Errorf("%v, %d bytes of %d", err, len(got), len(sent))
	}
}

func TestTypesOfCalls(t *testing.T) {
	f := func(value, from, to, want string) {
		t.Helper()
		got := string(appendType(nil, &h1.Field{Name: []byte("Content-Type"), Value: []byte(value)}, from, to))
		if got != "Content-Type: "+want+"\r\n" {
			t.Errorf("%q is %q", value, got)
		}
	}
	f("application/grpc-web+proto", typeWeb, typeGRPC, "application/grpc+proto")
	f("application/grpc-web-text", typeWebText, typeGRPC, "application/grpc")
	f("application/grpc+json;x", typeGRPC, typeWebText, "application/grpc-web-text+json;x")
	f("text/html", typeGRPC, typeWeb, "text/html")
}
