package h2

import (
	"fmt"

	"rgate/internal/h1"
)

// Code is an error code (RFC 9113 §7).
type Code uint32

// The error codes.
const (
	NoError Code = iota
	ProtocolError
	InternalError
	FlowControlError
	SettingsTimeout
	StreamClosed
	FrameSizeError
	RefusedStream
	Cancel
	CompressionError
	ConnectError
	EnhanceYourCalm
	InadequateSecurity
	HTTP11Required
)

var codeNames = [...]string{
	"NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR", "SETTINGS_TIMEOUT", "STREAM_CLOSED",
	"FRAME_SIZE_ERROR", "REFUSED_STREAM", "CANCEL", "COMPRESSION_ERROR", "CONNECT_ERROR", "ENHANCE_YOUR_CALM",
	"INADEQUATE_SECURITY", "HTTP_1_1_REQUIRED",
}

// String is the code's name.
func (c Code) String() string {
	if int(c) < len(codeNames) {
		return codeNames[c]
	}
	return fmt.Sprintf("error code %d", uint32(c))
}

// ConnError ends a connection (RFC 9113 §5.4.1).
type ConnError struct {
	Code   Code
	Text   string
	Remote bool // the other side said so
}

// Error implements error.
func (e *ConnError) Error() string {
	if e.Remote {
		return "the other side ended the HTTP/2 connection: " + e.Code.String()
	}
	return "cannot go on with the HTTP/2 connection: " + e.Text + " (" + e.Code.String() + ")"
}

// StreamError ends a stream (RFC 9113 §5.4.2).
type StreamError struct {
	Code   Code
	Text   string
	Remote bool // the other side said so
}

// Error implements error.
func (e *StreamError) Error() string {
	if e.Remote {
		return "the other side reset the HTTP/2 stream: " + e.Code.String()
	}
	return "cannot go on with the HTTP/2 stream: " + e.Text + " (" + e.Code.String() + ")"
}

func fatal(code Code, text string) *ConnError { return &ConnError{Code: code, Text: text} }

func calm(what string) *ConnError { return fatal(EnhanceYourCalm, "too many "+what) }

// Refusals of field sections: the message is malformed (RFC 9113 §8.1.1).
var (
	ErrName          = &h1.Error{Status: 400, Class: "h2_name", Section: "RFC 9113 §8.2.1", Text: "field name is no token in lower case"}
	ErrValue         = &h1.Error{Status: 400, Class: "h2_value", Section: "RFC 9113 §8.2.1", Text: "control byte in a field value, or white space around it"}
	ErrConnection    = &h1.Error{Status: 400, Class: "h2_connection", Section: "RFC 9113 §8.2.2", Text: "field of an HTTP/1.1 connection"}
	ErrTE            = &h1.Error{Status: 400, Class: "h2_te", Section: "RFC 9113 §8.2.2", Text: "TE with more than trailers"}
	ErrPseudoLate    = &h1.Error{Status: 400, Class: "h2_pseudo_late", Section: "RFC 9113 §8.3", Text: "pseudo-field after a field"}
	ErrPseudoUnknown = &h1.Error{Status: 400, Class: "h2_pseudo_unknown", Section: "RFC 9113 §8.3", Text: "pseudo-field that is none of a request"}
	ErrPseudoTwice   = &h1.Error{Status: 400, Class: "h2_pseudo_twice", Section: "RFC 9113 §8.3", Text: "the same pseudo-field twice"}
	ErrPseudoMissing = &h1.Error{Status: 400, Class: "h2_pseudo_missing", Section: "RFC 9113 §8.3.1", Text: "request without :method, :scheme or :path"}
	ErrTrailer       = &h1.Error{Status: 400, Class: "h2_trailer", Section: "RFC 9113 §8.1", Text: "pseudo-field in a trailer section"}
	ErrMethod        = &h1.Error{Status: 400, Class: "h2_method", Section: "RFC 9110 §9.1", Text: "method is not a token"}
	ErrScheme        = &h1.Error{Status: 400, Class: "h2_scheme", Section: "RFC 9110 §7.4", Text: "scheme is not that of the connection"}
	ErrPath          = &h1.Error{Status: 400, Class: "h2_path", Section: "RFC 9113 §8.3.1", Text: "path does not begin with a slash, or has a byte that no path has"}
	ErrAuthority     = &h1.Error{Status: 400, Class: "h2_authority", Section: "RFC 9113 §8.3.1", Text: "neither :authority nor Host"}
	ErrHostDiffers   = &h1.Error{Status: 400, Class: "h2_host_differs", Section: "RFC 9113 §8.3.1", Text: "Host differs from :authority"}
	ErrConnect       = &h1.Error{Status: 400, Class: "h2_connect", Section: "RFC 9113 §8.5", Text: "CONNECT with a scheme or path, or without an authority"}
	ErrProtocol      = &h1.Error{Status: 501, Class: "h2_protocol", Section: "RFC 8441 §4", Text: "CONNECT for a protocol other than websocket"}
	ErrStatus        = &h1.Error{Status: 502, Class: "h2_status", Section: "RFC 9113 §8.3.2", Text: "answer without a :status that it can have"}
	ErrLength        = &h1.Error{Status: 400, Class: "h2_length", Section: "RFC 9113 §8.1.1", Text: "Content-Length differs from what was sent"}
)

// Refusals lists what field sections are refused for, beside those of h1, for the
// test that holds docs/http2.md complete.
func Refusals() []*h1.Error {
	return []*h1.Error{
		ErrName, ErrValue, ErrConnection, ErrTE, ErrPseudoLate, ErrPseudoUnknown, ErrPseudoTwice, ErrPseudoMissing,
		ErrTrailer, ErrMethod, ErrScheme, ErrPath, ErrAuthority, ErrHostDiffers, ErrConnect, ErrProtocol, ErrLength,
	}
}
