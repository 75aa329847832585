package h1

import (
	"net/http"
	"testing"
)

func TestAppend(t *testing.T) {
	var b []byte
	b = AppendStatusLine(b, 200)
	b = AppendStatusLine(b, 299)
	b = AppendStatusLine(b, 999)
	b = AppendField(b, []byte("A"), []byte("b c"))
	b = AppendContentLength(b, 42)
	b = AppendChunkHeader(b, 255)
	b = append(b, LastChunk...)
	b = AppendLastChunk(b, nil)
	b = AppendLastChunk(b, []Field{{Name: []byte("C"), Value: []byte("d")}})
	const want = "HTTP/1.1 200 OK\r\nHTTP/1.1 299 \r\nHTTP/1.1 999 \r\nA: b c\r\nContent-Length: 42\r\nff\r\n" +
		"0\r\n\r\n0\r\n\r\n0\r\nC: d\r\n\r\n"
	if string(b) != want {
		t.Errorf("got %q", b)
	}
}

func TestReasons(t *testing.T) {
	newer := map[int]string{413: "Content Too Large", 414: "URI Too Long", 416: "Range Not Satisfiable", 422: "Unprocessable Content"}
	for status := range 600 {
		want := http.StatusText(status)
		if s, ok := newer[status]; ok {
			want = s // RFC 9110 renamed it
		}
		if got := reason(status); got != "" && got != want {
			t.Errorf("%d: got %q, want %q", status, got, want)
		}
	}
	if reason(-1) != "" {
		t.Error("negative status")
	}
}
