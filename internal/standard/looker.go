package standard

// looker is a connection that can be looked at without a socket of its own: Look
// tells whether a read would wait, and whether the peer has left.
type looker interface{ Look() (silent, ended bool) }
