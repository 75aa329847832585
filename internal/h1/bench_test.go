package h1

import "testing"

const smallHead = "GET /api/users/42 HTTP/1.1\r\nHost: gateway.example\r\nUser-Agent: loadgen/1.0\r\nAccept: */*\r\n" +
	"Accept-Encoding: gzip\r\nConnection: keep-alive\r\n\r\n"

const browserHead = "GET /shop/products?category=garden&sort=price HTTP/1.1\r\nHost: www.example.com\r\nConnection: keep-alive\r\n" +
	"sec-ch-ua: \"Chromium\";v=\"142\", \"Google Chrome\";v=\"142\", \"Not_A Brand\";v=\"99\"\r\nsec-ch-ua-mobile: ?0\r\n" +
	"Upgrade-Insecure-Requests: 1\r\n" +
	"User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36\r\n" +
	"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n" +
	"Sec-Fetch-Site: same-origin\r\nReferer: https://www.example.com/shop\r\nAccept-Encoding: gzip, deflate, br, zstd\r\n" +
	"Accept-Language: en-GB,en;q=0.9,de;q=0.8\r\nCookie: session=8f14e45fceea167a5a36dedd4bea2543; theme=dark; consent=1\r\n\r\n"

const answerHead = "HTTP/1.1 200 OK\r\nDate: Tue, 24 Nov 2026 10:00:00 GMT\r\nContent-Type: application/json\r\n" +
	"Content-Length: 128\r\nConnection: keep-alive\r\n\r\n"

func benchmarkRequest(b *testing.B, head string) {
	buf := []byte(head)
	var r Request
	b.SetBytes(int64(len(buf)))
	b.ReportAllocs()
	for b.Loop() {
		if n, err := ParseRequest(buf, Limits{}, &r); n != len(buf) || err != nil {
			b.Fatal(n, err)
		}
	}
}

func BenchmarkRequestSmall(b *testing.B)   { benchmarkRequest(b, smallHead) }
func BenchmarkRequestBrowser(b *testing.B) { benchmarkRequest(b, browserHead) }

func BenchmarkResponse(b *testing.B) {
	buf, method := []byte(answerHead), []byte("GET")
	var r Response
	b.SetBytes(int64(len(buf)))
	b.ReportAllocs()
	for b.Loop() {
		if n, err := ParseResponse(buf, Limits{}, method, &r); n != len(buf) || err != nil {
			b.Fatal(n, err)
		}
	}
}

// BenchmarkRequestDrip parses a head that comes byte by byte.
func BenchmarkRequestDrip(b *testing.B) {
	buf := []byte(browserHead)
	var r Request
	b.ReportAllocs()
	for b.Loop() {
		for i := 1; i <= len(buf); i++ {
			if _, err := ParseRequest(buf[:i], Limits{}, &r); err != nil {
				b.Fatal(err)
			}
		}
	}
}

func BenchmarkChunked(b *testing.B) {
	buf := []byte("80\r\n")
	buf = append(buf, make([]byte, 128)...)
	buf = append(buf, "\r\n0\r\n\r\n"...)
	var d Chunked
	b.ReportAllocs()
	for b.Loop() {
		d.Reset(Limits{})
		if _, n, done, err := d.Next(buf); n != len(buf) || !done || err != nil {
			b.Fatal(n, done, err)
		}
	}
}

// The hot path does not allocate, once the field slices have grown.
func TestAllocations(t *testing.T) {
	request, response, method := []byte(browserHead), []byte(answerHead), []byte("GET")
	refused := []byte("GET / HTTP/1.1\r\nHost: a\nb")
	chunked := []byte("1;a\r\nx\r\n0\r\nA: b\r\n\r\n")
	var r, bad Request
	var a Response
	var body Body
	out := make([]byte, 0, 1024)
	f := func() {
		if n, err := ParseRequest(request, Limits{}, &r); n != len(request) || err != nil {
			t.Fatal(n, err)
		}
		if n, err := ParseRequest(refused, Limits{}, &bad); n != 0 || err == nil {
			t.Fatal(n, err)
		}
		if n, err := ParseResponse(response, Limits{}, method, &a); n != len(response) || err != nil {
			t.Fatal(n, err)
		}
		a.Body(&body, Limits{})
		body.reset(true, 0, Limits{})
		if _, n, done, err := body.Next(chunked); n != len(chunked) || !done || err != nil {
			t.Fatal(n, done, err)
		}
		out = AppendStatusLine(out[:0], 200)
		out = AppendField(out, r.Fields[0].Name, r.Fields[0].Value)
		out = AppendChunkHeader(AppendContentLength(out, 12345), 128)
		out = AppendLastChunk(out, body.Trailer())
	}
	f()
	if n := testing.AllocsPerRun(100, f); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
