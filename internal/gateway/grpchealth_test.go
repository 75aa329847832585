package gateway

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestCheckRequest(t *testing.T) {
	for service, want := range map[string]string{
		"":                       "\x00\x00\x00\x00\x00",
		"shop.Orders":            "\x00\x00\x00\x00\x0d\x0a\x0bshop.Orders",
		strings.Repeat("x", 200): "\x00\x00\x00\x00\xcb\x0a\xc8\x01" + strings.Repeat("x", 200),
	} {
		if got := string(checkRequest(service)); got != want {
			t.Errorf("%q is %q", service, got)
		}
	}
}

func TestCheckStatus(t *testing.T) {
	for raw, want := range map[string]int{
		"\x00\x00\x00\x00\x02\x08\x01": 1, "\x00\x00\x00\x00\x02\x08\x02": 2, "\x00\x00\x00\x00\x00": 0, "\x00\x00\x00\x00\x03\x08\x80\x01": 128,
		// Fields that are not known are skipped, of each type.
		"\x00\x00\x00\x00\x15\x12\x03abc\x19abcdefgh\x25abcd\x08\x01": 1,
		"": -1, "\x00\x00\x00\x00": -1, "\x01\x00\x00\x00\x02\x08\x01": -1, "\x00\x00\x00\x00\x03\x08\x01": -1, "\x00\x00\x00\x00\x01\x08": -1,
		"\x00\x00\x00\x00\x03\x12\x02a": -1, "\x00\x00\x00\x00\x02\x0b\x01": -1, "\x00\x00\x00\x00\x03\x19ab": -1, "\x00\x00\x00\x00\x01\x80": -1,
	} {
		got, err := checkStatus([]byte(raw))
		if err != nil && want >= 0 || err == nil && int(got) != want {
			t.Errorf("%q: %d, %v", raw, got, err)
		}
	}
}

func TestAskGRPC(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		service := strings.TrimLeft(string(b), "\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a")
		if r.Proto != "HTTP/2.0" || r.URL.Path != "/grpc.health.v1.Health/Check" || r.Header.Get("Te") != "trailers" || r.Header.Get("Content-Type") != "application/grpc" {
			w.WriteHeader(500)
			return
		}
		w.Header().Set("Content-Type", "application/grpc")
		if service == "none" {
			w.Header().Set("Grpc-Status", "5")
			return
		}
		w.Header().Set("Trailer", "Grpc-Status")
		status := "\x01"
		if service == "sick" {
			status = "\x02"
		}
		_, _ = io.WriteString(w, "\x00\x00\x00\x00\x02\x08"+status)
		w.Header().Set("Grpc-Status", "0")
	}))
	s.Config.Protocols = new(http.Protocols)
	s.Config.Protocols.SetUnencryptedHTTP2(true)
	s.Start()
	defer s.Close()
	transport := &http.Transport{DisableKeepAlives: true}
	overHTTP2(transport)
	client := &http.Client{Transport: transport}
	for service, want := range map[string]string{"": "", "well": "", "sick": "not serving: status 2", "none": `grpc-status "5"`} {
		err := askGRPC(context.Background(), client, s.URL, service)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", service, err)
		}
	}
}
