package h1

// Error is a refusal. All values are package-level, so refusing allocates
// nothing and callers may compare pointers.
type Error struct {
	// Status is the answer to a client whose request is refused. Where an
	// upstream answer is refused, the client gets 502 whatever Status says.
	Status int
	// Class is a short stable code for logs, counters and tests.
	Class string
	// Section names the rule, such as "RFC 9112 §6.3".
	Section string
	// Text says what is wrong, for people.
	Text string
}

// Error implements error.
func (e *Error) Error() string {
	return "cannot accept message: " + e.Text + " (" + e.Section + ")"
}

// Refusals of bytes and lines, in requests, answers and trailers alike.
var (
	ErrBareLF      = &Error{400, "bare_lf", "RFC 9112 §2.2", "line ends in LF without CR"}
	ErrBareCR      = &Error{400, "bare_cr", "RFC 9112 §2.2", "CR without LF"}
	ErrControl     = &Error{400, "control_byte", "RFC 9110 §5.5", "control byte in a field value or reason phrase"}
	ErrObsFold     = &Error{400, "obs_fold", "RFC 9112 §5.2", "field value folded over several lines"}
	ErrFirstSpace  = &Error{400, "space_first", "RFC 9112 §2.2", "white space before the first field line"}
	ErrNameSpace   = &Error{400, "space_in_name", "RFC 9112 §5.1", "white space in a field name or before its colon"}
	ErrName        = &Error{400, "bad_name", "RFC 9110 §5.1", "field name is not a token"}
	ErrNoColon     = &Error{400, "no_colon", "RFC 9112 §5", "field line without a colon"}
	ErrHeadSize    = &Error{431, "head_too_large", "RFC 6585 §5", "head larger than the limit"}
	ErrFieldCount  = &Error{431, "too_many_fields", "RFC 6585 §5", "more field lines than the limit"}
	ErrConnOptions = &Error{400, "connection_options", "RFC 9110 §7.6.1", "more connection options than anyone needs"}
)

// Refusals of request lines.
var (
	ErrEmptyLines  = &Error{400, "empty_lines", "RFC 9112 §2.2", "more than one empty line before the request line"}
	ErrMethod      = &Error{400, "bad_method", "RFC 9110 §9.1", "method is not a token"}
	ErrRequestLine = &Error{400, "bad_request_line", "RFC 9112 §3", "request line is not method SP target SP version"}
	ErrHTTP09      = &Error{400, "http_09", "RFC 9112 §2.3", "request line without a version"}
	ErrVersion     = &Error{400, "bad_version", "RFC 9112 §2.3", "version is not HTTP/digit.digit"}
	ErrMajor       = &Error{505, "unknown_major", "RFC 9110 §2.5", "major version other than 1"}

	ErrTargetEmpty     = &Error{400, "target_empty", "RFC 9112 §3.2", "empty request target"}
	ErrTargetByte      = &Error{400, "target_byte", "RFC 9112 §3.2", "control or non-ASCII byte in the request target"}
	ErrTargetFragment  = &Error{400, "target_fragment", "RFC 9112 §3.2", "fragment in the request target"}
	ErrTargetBackslash = &Error{400, "target_backslash", "RFC 3986 §3.3", "backslash in the path"}
	ErrTargetEscape    = &Error{400, "target_escape", "RFC 3986 §2.1", "percent sign without two hex digits in the path"}
	ErrTargetForm      = &Error{400, "target_form", "RFC 9112 §3.2", "request target in none of the forms the method allows"}
	ErrTargetAsterisk  = &Error{400, "target_asterisk", "RFC 9112 §3.2.4", "asterisk with a method other than OPTIONS"}
	ErrTargetUserinfo  = &Error{400, "target_userinfo", "RFC 9110 §4.2.4", "user information in the request target"}
	ErrTargetAuthority = &Error{400, "target_authority", "RFC 9110 §4.2.1", "ill-formed authority in the request target"}
)

// Refusals of a request's fields taken together.
var (
	ErrHostMissing  = &Error{400, "host_missing", "RFC 9112 §3.2", "HTTP/1.1 request without Host"}
	ErrHostRepeated = &Error{400, "host_repeated", "RFC 9112 §3.2", "more than one Host"}
	ErrHost         = &Error{400, "bad_host", "RFC 9110 §7.2", "ill-formed Host"}
	ErrHostDiffers  = &Error{400, "host_differs", "RFC 9112 §3.2.2", "Host differs from the target's authority"}
	ErrExpect       = &Error{417, "expect_unknown", "RFC 9110 §10.1.1", "expectation other than 100-continue"}
)

// Refusals of framing, in requests and answers.
var (
	ErrCLAndTE        = &Error{400, "cl_and_te", "RFC 9112 §6.3", "both Content-Length and Transfer-Encoding"}
	ErrCLRepeated     = &Error{400, "cl_repeated", "RFC 9112 §6.3", "more than one Content-Length"}
	ErrCL             = &Error{400, "bad_cl", "RFC 9110 §8.6", "Content-Length is not a decimal number that fits"}
	ErrTERepeated     = &Error{400, "te_repeated", "RFC 9112 §6.1", "more than one Transfer-Encoding"}
	ErrTE             = &Error{400, "bad_te", "RFC 9112 §7", "Transfer-Encoding is not a list of codings"}
	ErrTENotFinal     = &Error{400, "te_chunked_not_final", "RFC 9112 §6.1", "chunked is repeated or not the final coding"}
	ErrTEUnknown      = &Error{501, "te_unknown", "RFC 9112 §6.1", "transfer coding other than chunked"}
	ErrTEInHTTP10     = &Error{400, "te_in_http10", "RFC 9112 §6.1", "Transfer-Encoding in an HTTP/1.0 message"}
	ErrChunkSize      = &Error{400, "chunk_size", "RFC 9112 §7.1", "chunk size is not a hexadecimal number"}
	ErrChunkOverflow  = &Error{400, "chunk_overflow", "RFC 9112 §7.1", "chunk size does not fit"}
	ErrChunkExt       = &Error{400, "chunk_ext_too_large", "RFC 9112 §7.1.1", "chunk extensions larger than the limit"}
	ErrChunkExtByte   = &Error{400, "chunk_ext_byte", "RFC 9112 §7.1.1", "control byte in a chunk extension"}
	ErrChunkEnd       = &Error{400, "chunk_end", "RFC 9112 §7.1", "chunk data not followed by CRLF"}
	ErrTrailerSize    = &Error{431, "trailer_too_large", "RFC 9112 §7.1.2", "trailer section larger than the limit"}
	ErrTruncated      = &Error{400, "truncated", "RFC 9112 §8", "connection closed before the message was complete"}
	ErrStatusLine     = &Error{502, "bad_status_line", "RFC 9112 §4", "status line is not version SP three digits"}
	ErrInterimFraming = &Error{502, "interim_with_body", "RFC 9110 §8.6", "1xx answer announces a body"}
)

// Refusals lists every Error this package can return, for counters and for
// the test that holds docs/parser.md complete.
func Refusals() []*Error {
	return []*Error{
		ErrBareLF, ErrBareCR, ErrControl, ErrObsFold, ErrFirstSpace, ErrNameSpace, ErrName, ErrNoColon,
		ErrHeadSize, ErrFieldCount, ErrConnOptions,
		ErrEmptyLines, ErrMethod, ErrRequestLine, ErrHTTP09, ErrVersion, ErrMajor,
		ErrTargetEmpty, ErrTargetByte, ErrTargetFragment, ErrTargetBackslash, ErrTargetEscape,
		ErrTargetForm, ErrTargetAsterisk, ErrTargetUserinfo, ErrTargetAuthority,
		ErrHostMissing, ErrHostRepeated, ErrHost, ErrHostDiffers, ErrExpect,
		ErrCLAndTE, ErrCLRepeated, ErrCL, ErrTERepeated, ErrTE, ErrTENotFinal, ErrTEUnknown, ErrTEInHTTP10,
		ErrChunkSize, ErrChunkOverflow, ErrChunkExt, ErrChunkExtByte, ErrChunkEnd, ErrTrailerSize,
		ErrTruncated, ErrStatusLine, ErrInterimFraming,
	}
}
