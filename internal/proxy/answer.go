package proxy

import (
	"bytes"
	"encoding/json"
	"strings"

	"rgate/internal/policy"
)

// The stable codes of the header X-Rgate-Reason. Those of policies are there.
const (
	ReasonNoRoute     = "no_route"
	ReasonMethod      = "method_not_allowed"
	ReasonNoEndpoint  = "no_endpoint"
	ReasonConnect     = "connect_failed"
	ReasonTimeout     = "upstream_timeout"
	ReasonInvalid     = "upstream_invalid"
	ReasonBroken      = "upstream_closed"
	ReasonTruncated   = "upstream_truncated" // in the log alone: the answer's head is out by then
	ReasonBadRequest  = "bad_request"
	ReasonTooLarge    = "header_too_large"
	ReasonOversized   = "upstream_header_too_large"
	ReasonLoop        = "loop_detected"
	ReasonUnsupport   = "not_supported"
	ReasonOverload    = "overloaded"
	ReasonMisdirected = "misdirected"
	ReasonRedirect    = "https_redirect"
	ReasonUnavailable = "upstream_unavailable"
	ReasonDeadline    = "deadline_exceeded"
)

// Answer is a response of rgate's own.
type Answer = policy.Answer

// The answers of rgate's own that do not depend on the configuration.
var (
	answerNoEndpoint = plain(503, ReasonNoEndpoint, "no endpoint is available\n")
	answerConnect    = plain(503, ReasonConnect, "no endpoint could be reached\n")
	answerOverload   = plain(503, ReasonOverload, "too many requests are waiting\n")
	answerTimeout    = plain(504, ReasonTimeout, "the upstream did not answer in time\n")
	answerInvalid    = plain(502, ReasonInvalid, "the upstream gave no valid answer\n")
	answerBroken     = plain(502, ReasonBroken, "the upstream closed the connection\n")
	answerOversized  = plain(502, ReasonOversized, "the head of the upstream's answer is too large\n")
	answerRefused    = plain(503, ReasonUnavailable, "the upstream is not available\n")
	answerDeadline   = plain(504, ReasonDeadline, "the call's time is over\n")
	answerTimeSaid   = plain(400, ReasonBadRequest, "malformed grpc-timeout\n")
	answerLoop       = plain(508, ReasonLoop, "this gateway has had the request before\n")
	answerConnectVia = plain(501, ReasonUnsupport, "CONNECT is not supported\n")
)

func plain(status int, reason, body string) *Answer {
	return &Answer{
		Status: status, Reason: reason, Body: []byte(body), ContentType: "text/plain; charset=utf-8",
		RetryAfter: status == 503,
	}
}

// methodNotAllowed is the answer to a request that routes would take by other
// methods (RFC 9110 §15.5.6).
func methodNotAllowed(others []string) *Answer {
	a := plain(405, ReasonMethod, "no route takes this method here\n")
	a.Fields = [][2]string{{"Allow", strings.Join(others, ", ")}}
	return a
}

// unmatched tells whether a says that no route takes a request.
func unmatched(a *Answer) bool { return a.Reason == ReasonNoRoute || a.Reason == ReasonMethod }

// BadRequest is the answer to a request that is refused, with why.
func BadRequest(why string) *Answer { return plain(400, ReasonBadRequest, why+"\n") }

var acceptsJSON = []byte("application/json")

// rendered is a for a client with this Accept header.
func rendered(a *Answer, accept []byte) *Answer {
	if a.Reason == "" || a.Reason == ReasonNoRoute || !bytes.Contains(accept, acceptsJSON) {
		return a
	}
	body, err := json.Marshal(struct {
		Status int    `json:"status"`
		Reason string `json:"reason"`
		Error  string `json:"error"`
	}{a.Status, a.Reason, string(bytes.TrimSpace(a.Body))})
	if err != nil {
		return a // cannot be: three plain fields
	}
	out := *a
	out.Body, out.ContentType = append(body, '\n'), "application/json"
	return &out
}
