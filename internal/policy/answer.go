package policy

import (
	"slices"
	"strings"
)

// Answer is a response of rgate's own.
type Answer struct {
	Status      int
	Reason      string // a code for X-Rgate-Reason; "" where there is nothing to explain
	ContentType string
	Body        []byte
	RetryAfter  bool        // worth trying again in a second
	Fields      [][2]string // further fields, by name and value
	Meant       bool        // the file says so: nothing went wrong that the log should tell
}

// Says tells whether a has a further field of that name.
func (a *Answer) Says(name string) bool {
	return slices.ContainsFunc(a.Fields, func(f [2]string) bool { return strings.EqualFold(f[0], name) })
}

// The stable codes of what policies refuse.
const (
	ReasonDenied          = "client_denied"
	ReasonUnauthenticated = "unauthenticated"
	ReasonForbidden       = "forbidden"
)

const plainText = "text/plain; charset=utf-8"

// answerForbidden is for who is known, and not among those who may come.
var answerForbidden = &Answer{
	Status: 403, Reason: ReasonForbidden,
	ContentType: plainText, Body: []byte("this is not for you\n"),
}
