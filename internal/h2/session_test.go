package h2

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
)

func TestExchanges(t *testing.T) {
	addr := serve(t, nil, func(w http.ResponseWriter, q *http.Request) {
		body, err := io.ReadAll(q.Body)
		if err != nil {
			t.Error(err)
		}
		w.Header().Set("Trailer", "X-Sum")
		w.WriteHeader(201)
		fmt.Fprintf(w, "%s %s %s %d %s|", q.Method, q.URL, q.Host, q.ContentLength, q.Header.Get("Cookie"))
		_, _ = w.Write(body)
		w.Header().Set("X-Sum", fmt.Sprint(len(body)))
	})
	c := client(t)
	var all sync.WaitGroup
	for _, size := range []int{0, 1, 1000, 100_000, 3_000_000} {
		for _, known := range []bool{true, false} {
			all.Go(func() {
				data := bytes.Repeat([]byte("0123456789"), size/10+1)[:size]
				var body io.Reader = bytes.NewReader(data)
				if !known {
					body = struct{ io.Reader }{body}
				}
				resp, err := c.Post("http://"+addr+"/a?b=c", "text/plain", body)
				if err != nil {
					t.Error(err)
					return
				}
				defer resp.Body.Close()
				got, err := io.ReadAll(resp.Body)
				if err != nil {
					t.Error(err)
				}
				head, rest, _ := strings.Cut(string(got), "|")
				length := size
				if !known {
					length = -1
				}
				if want := fmt.Sprintf("POST /a?b=c %s %d ", addr, length); head != want || rest != string(data) {
					t.Errorf("%q with %d bytes instead of %q with %d", head, len(rest), want, size)
				}
				if resp.StatusCode != 201 || resp.ProtoMajor != 2 || resp.Trailer.Get("X-Sum") != fmt.Sprint(size) {
					t.Errorf("%s %s %v", resp.Proto, resp.Status, resp.Trailer)
				}
			})
		}
	}
	all.Wait()
}
