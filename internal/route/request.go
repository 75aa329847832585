package route

// Request is what a route is chosen by.
type Request struct {
	Host   []byte // as it came; empty for none
	Method []byte
	Path   []byte // normalised
	Query  []byte // with its question mark; empty for none
	Fields Fields // may be nil where no route asks for a header
}

// Fields are the fields of a request's head. Names are in canonical form, and
// compared without case.
type Fields interface {
	Has(name string) bool       // whether there is one of that name
	Is(name, value string) bool // whether the values of that name, joined by ", ", are this
}
