package h1

import "strconv"

// LastChunk ends a chunked body that has no trailer fields.
const LastChunk = "0\r\n\r\n"

// AppendChunkHeader appends the line that starts a chunk of n bytes, n > 0.
// The chunk's data and a CRLF go behind it.
func AppendChunkHeader(dst []byte, n int) []byte {
	dst = strconv.AppendUint(dst, uint64(n), 16)
	return append(dst, '\r', '\n')
}

// AppendLastChunk appends the end of a chunked body with its trailer fields,
// which may be none.
func AppendLastChunk(dst []byte, trailer []Field) []byte {
	dst = append(dst, '0', '\r', '\n')
	for i := range trailer {
		dst = AppendField(dst, trailer[i].Name, trailer[i].Value)
	}
	return append(dst, '\r', '\n')
}

// AppendStatusLine appends an HTTP/1.1 status line with the usual reason.
func AppendStatusLine(dst []byte, status int) []byte {
	dst = append(dst, "HTTP/1.1 "...)
	dst = strconv.AppendUint(dst, uint64(status), 10)
	dst = append(dst, ' ')
	dst = append(dst, reason(status)...)
	return append(dst, '\r', '\n')
}

// AppendField appends a field line. Name and value must come from a parsed
// head or be known to be good: nothing is checked here.
func AppendField(dst, name, value []byte) []byte {
	dst = append(dst, name...)
	dst = append(dst, ':', ' ')
	dst = append(dst, value...)
	return append(dst, '\r', '\n')
}

// AppendContentLength appends a Content-Length field line.
func AppendContentLength(dst []byte, n int64) []byte {
	dst = append(dst, "Content-Length: "...)
	dst = strconv.AppendInt(dst, n, 10)
	return append(dst, '\r', '\n')
}

// reasons are the registered phrases; others go without, as RFC 9112 §4 allows.
var reasons = [...]string{
	100: "Continue", 101: "Switching Protocols", 103: "Early Hints",
	200: "OK", 201: "Created", 202: "Accepted", 203: "Non-Authoritative Information",
	204: "No Content", 205: "Reset Content", 206: "Partial Content", 207: "Multi-Status",
	300: "Multiple Choices", 301: "Moved Permanently", 302: "Found", 303: "See Other",
	304: "Not Modified", 307: "Temporary Redirect", 308: "Permanent Redirect",
	400: "Bad Request", 401: "Unauthorized", 402: "Payment Required", 403: "Forbidden",
	404: "Not Found", 405: "Method Not Allowed", 406: "Not Acceptable",
	407: "Proxy Authentication Required", 408: "Request Timeout", 409: "Conflict", 410: "Gone",
	411: "Length Required", 412: "Precondition Failed", 413: "Content Too Large",
	414: "URI Too Long", 415: "Unsupported Media Type", 416: "Range Not Satisfiable",
	417: "Expectation Failed", 421: "Misdirected Request", 422: "Unprocessable Content",
	423: "Locked", 425: "Too Early", 426: "Upgrade Required", 428: "Precondition Required",
	429: "Too Many Requests", 431: "Request Header Fields Too Large",
	500: "Internal Server Error", 501: "Not Implemented", 502: "Bad Gateway",
	503: "Service Unavailable", 504: "Gateway Timeout", 505: "HTTP Version Not Supported",
	507: "Insufficient Storage", 508: "Loop Detected", 511: "Network Authentication Required",
}

func reason(status int) string {
	if status < 0 || status >= len(reasons) {
		return ""
	}
	return reasons[status]
}
