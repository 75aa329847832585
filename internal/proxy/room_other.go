//go:build !unix

package proxy

// descriptors have no bound here that could be known.
func descriptors() int { return 0 }
