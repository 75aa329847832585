package wire

import (
	"bytes"
	"time"

	"rgate/internal/h1"
	"rgate/internal/policy"
	"rgate/internal/proxy"
)

// WebSocket tells whether r asks to become a WebSocket (RFC 6455 §4.1), which
// is the one change of protocol that is passed on. Any other offer to upgrade is
// dropped, as a server may that does not care for it, and the request is an
// ordinary one.
func WebSocket(r *h1.Request) bool {
	return r.Upgrade && string(r.Method) == "GET" && !hasBody(r) && namesWebSocket(r.Fields)
}

// namesWebSocket tells whether fields have one Upgrade, for a WebSocket.
func namesWebSocket(fields []h1.Field) bool {
	found := false
	for i := range fields {
		f := &fields[i]
		if f.ID != h1.FieldUpgrade {
			continue
		}
		if found || !bytes.EqualFold(f.Value, websocket) {
			return false
		}
		found = true
	}
	return found
}

var websocket = []byte("websocket")

func hasBody(r *h1.Request) bool { return r.Chunked || r.ContentLength > 0 }

// AppendRequestHead appends the one unambiguous head that goes to the endpoint.
// Framing is rgate's own, and so is everything that says who asked. It sets
// x.Bound.
func AppendRequestHead(dst []byte, x *proxy.Exchange, r *h1.Request) []byte {
	dst = append(dst, x.Method...)
	dst = append(dst, ' ')
	dst = append(dst, x.Forward...)
	dst = append(dst, x.Query...)
	dst = append(dst, " HTTP/1.1\r\nHost: "...)
	dst = append(dst, x.Host...)
	dst = append(dst, '\r', '\n')
	edits, own, timed := x.RequestEdits(), saysPrefix(x), !x.Deadline.IsZero()
	for i := range r.Fields {
		if f := &r.Fields[i]; !f.Hop && passes(f.ID, x, r) && (edits == nil || !edits.Drops(f.Name)) && !(own && isPrefix(f)) && !(timed && isTimeout(f.Name)) {
			if f.ID == h1.FieldCookie && edits.Hides() {
				dst = appendCookies(dst, edits, f)
				continue
			}
			if x.Web && f.ID == h1.FieldContentType {
				dst = appendType(dst, f, webType(x), typeGRPC)
				continue
			}
			dst = h1.AppendField(dst, f.Name, f.Value)
			x.Bound = x.Bound || f.ID == h1.FieldAuthorization && binds(f.Value)
		}
	}
	dst = appendFraming(dst, x, r)
	dst = appendVia(dst, x, r)
	dst = append(dst, "\r\nX-Forwarded-For: "...)
	dst = x.AppendForwardedFor(dst)
	if host := x.ForwardedHost(); len(host) > 0 { // HTTP/1.0 may do without
		dst = append(dst, "\r\nX-Forwarded-Host: "...)
		dst = append(dst, host...)
	}
	dst = append(dst, "\r\nX-Forwarded-Proto: "...)
	dst = x.AppendForwardedProto(dst)
	dst = append(dst, "\r\nForwarded: "...)
	dst = x.AppendForwarded(dst)
	if x.Secured != nil {
		dst = append(dst, x.Secured.ClientFields()...)
	}
	dst = append(dst, "\r\nX-Request-Id: "...)
	dst = append(dst, x.RequestID...)
	dst = append(dst, '\r', '\n')
	if own {
		dst = appendForwardedPrefix(dst, x)
	}
	if edits != nil {
		dst = edits.Append(dst, x, x.Header.Has)
		dst = policy.AppendConsumer(dst, x.Consumer)
	}
	return append(dst, '\r', '\n')
}

// appendCookies appends the cookies of f that go on; nothing where there are none.
func appendCookies(dst []byte, edits *policy.Edits, f *h1.Field) []byte {
	start := len(dst)
	dst = append(append(dst, f.Name...), ": "...)
	head := len(dst)
	if dst = edits.AppendCookies(dst, f.Value); len(dst) == head {
		return dst[:start]
	}
	return append(dst, '\r', '\n')
}

// appendVia says by which protocol the request came, and to whom (RFC 9110
// §7.6.3).
func appendVia(dst []byte, x *proxy.Exchange, r *h1.Request) []byte {
	dst = append(dst, "Via: "...)
	if x.HTTP2 {
		dst = append(dst, '2', ' ')
	} else {
		dst = append(dst, '1', '.', '0'+r.Minor, ' ')
	}
	return append(dst, x.Pseudonym()...)
}

// appendFraming appends what is said of how messages end, and when, and what the
// request asks to become.
func appendFraming(dst []byte, x *proxy.Exchange, r *h1.Request) []byte {
	if takesTrailers(x, r) {
		dst = append(dst, "TE: trailers\r\n"...)
	}
	if !x.Deadline.IsZero() {
		dst = append(x.AppendTimeout(append(dst, "Grpc-Timeout: "...), time.Now()), '\r', '\n')
	}
	switch {
	case r.Chunked, x.Web && hasBody(r): // what is in base64 has another length
		dst = append(dst, "Transfer-Encoding: chunked\r\n"...)
	case r.ContentLength >= 0:
		dst = h1.AppendContentLength(dst, r.ContentLength)
	case r.Upgrade && WebSocket(r):
		dst = append(dst, upgraded...)
	}
	return dst
}

// takesTrailers tells whether the client does (RFC 9110 §10.1.4), for an endpoint
// that speaks HTTP/2: that has no other way to hand it on, and gRPC insists.
func takesTrailers(x *proxy.Exchange, r *h1.Request) bool {
	if x.Endpoint() == nil || !x.Endpoint().Link.HTTP2() {
		return false
	}
	if x.Web {
		return true // it does not say so, and is told in another way
	}
	for i := range r.Fields {
		if f := &r.Fields[i]; f.ID == h1.FieldTE {
			for word := range bytes.SplitSeq(f.Value, []byte{','}) {
				if bytes.EqualFold(bytes.TrimSpace(word), trailers) {
					return true
				}
			}
		}
	}
	return false
}

var trailers = []byte("trailers")

// binds tells whether credentials are of a kind that servers take for the whole
// connection (RFC 4559 §6, and NTLM): whoever came next on it would be taken for
// this client.
func binds(credentials []byte) bool {
	scheme, _, _ := bytes.Cut(credentials, space)
	return bytes.EqualFold(scheme, ntlm) || bytes.EqualFold(scheme, negotiate)
}

var space, ntlm, negotiate = []byte(" "), []byte("NTLM"), []byte("Negotiate")

const upgraded = "Connection: Upgrade\r\nUpgrade: websocket\r\n"

// passes tells whether a field of that name goes on to the endpoint as it came.
// A field of this connection only (Field.Hop) does not, whatever this says.
func passes(id h1.FieldID, x *proxy.Exchange, r *h1.Request) bool {
	switch id {
	case h1.FieldHost, h1.FieldContentLength, h1.FieldTransferEncoding, // written anew
		h1.FieldForwarded, h1.FieldXForwardedFor, h1.FieldXForwardedHost, h1.FieldXForwardedProto, h1.FieldXRequestID,
		h1.FieldClientCert, h1.FieldTwin:
		return false
	case h1.FieldXForwardedOther, h1.FieldXRealIP:
		return x.Trusted()
	case h1.FieldExpect:
		return r.Expect100 && hasBody(r)
	}
	return true
}
