package policy

// Answer is a response of rgate's own.
type Answer struct {
	Status      int
	Reason      string // a code for X-Rgate-Reason; "" where there is nothing to explain
	ContentType string
	Body        []byte
	RetryAfter  bool        // worth trying again in a second
	Fields      [][2]string // further fields, by name and value
}

// The stable codes of what policies refuse.
const ReasonDenied = "client_denied"
