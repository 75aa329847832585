package load

import (
	"bytes"
	"fmt"
)

// Request describes what is asked over and over.
type Request struct {
	Paths   []string // asked in turn, one per connection
	Browser bool     // with the fields that a browser sends
	Body    int      // bytes; 0 for a GET, else a POST
	Answer  int      // bytes of a right answer's body
}

// browserFields are those of a desktop browser, some 700 bytes with the rest.
const browserFields = "Connection: keep-alive\r\n" +
	"sec-ch-ua: \"Chromium\";v=\"142\", \"Google Chrome\";v=\"142\", \"Not_A Brand\";v=\"99\"\r\n" +
	"sec-ch-ua-mobile: ?0\r\n" +
	"sec-ch-ua-platform: \"Linux\"\r\n" +
	"User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36\r\n" +
	"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8\r\n" +
	"Referer: http://shop.example/basket/overview?page=2\r\n" +
	"Accept-Encoding: gzip, deflate, br, zstd\r\n" +
	"Accept-Language: en-GB,en;q=0.9,de;q=0.8\r\n" +
	"Cookie: session=3f2c9b7e5d1a4f60; theme=dark; consent=yes; basket=10293847\r\n" +
	"Cache-Control: max-age=0\r\n"

// Bytes is the request for one of the paths.
func (r Request) Bytes(path string) []byte {
	var b bytes.Buffer
	method := "GET"
	if r.Body > 0 {
		method = "POST"
	}
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: shop.example\r\n", method, path)
	if r.Browser {
		b.WriteString(browserFields)
	} else {
		b.WriteString("User-Agent: bench\r\nAccept: */*\r\n")
	}
	if r.Body > 0 {
		fmt.Fprintf(&b, "Content-Type: application/octet-stream\r\nContent-Length: %d\r\n", r.Body)
	}
	b.WriteString("\r\n")
	b.Write(bytes.Repeat([]byte{'x'}, r.Body))
	return b.Bytes()
}

// answerHead is what matters of an answer's head.
type answerHead struct {
	size   int // with the empty line
	body   int // bytes of the body; -1 where the head does not say
	status int
}

var (
	headEnd    = []byte("\r\n\r\n")
	statusLine = []byte("HTTP/1.1 ")
	// Both spellings are in use; all gateways here have one of them.
	lengthFields = [][]byte{[]byte("\r\nContent-Length: "), []byte("\r\ncontent-length: ")}
)

// parseHead reads the head at the start of b; ok is false until it is whole.
// It is not a parser for the open: only for gateways that were started here.
func parseHead(b []byte) (h answerHead, ok bool) {
	end := bytes.Index(b, headEnd)
	if end < 0 {
		return h, false
	}
	head := b[:end+2]
	h.size, h.body = end+len(headEnd), -1
	if bytes.HasPrefix(head, statusLine) && len(head) >= len(statusLine)+3 {
		h.status = leadingNumber(head[len(statusLine) : len(statusLine)+3])
	}
	for _, name := range lengthFields {
		if at := bytes.Index(head, name); at >= 0 {
			h.body = leadingNumber(head[at+len(name):])
			break
		}
	}
	return h, true
}

// leadingNumber is the decimal number at the start of b; -1 if there is none.
func leadingNumber(b []byte) int {
	n, i := 0, 0
	for ; i < len(b) && b[i] >= '0' && b[i] <= '9'; i++ {
		n = n*10 + int(b[i]-'0')
	}
	if i == 0 {
		return -1
	}
	return n
}
