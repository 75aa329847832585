package route

// Request is what a route is chosen by.
type Request struct {
	Path []byte // normalised
}
