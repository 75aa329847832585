package demo

import (
	"fmt"
	"os"

	"rgate/internal/authority"
)

// certify makes an authority for the length of the demo, and a file of what is
// to be trusted, which goes away with the stage.
func (s *stage) certify() (*authority.Authority, error) {
	a, err := authority.InMemory()
	if err != nil {
		return nil, fmt.Errorf("cannot serve HTTPS: %w", err)
	}
	f, err := os.CreateTemp("", "rgate-demo-*.pem")
	if err != nil {
		return nil, fmt.Errorf("cannot write the certificate to be trusted: %w", err)
	}
	s.cacert = f.Name()
	clear := s.clear
	s.clear = func() { _ = os.Remove(s.cacert); clear() }
	_, err = f.WriteString(a.Root().PEM)
	if closing := f.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return nil, fmt.Errorf("cannot write the certificate to be trusted: %w", err)
	}
	return a, nil
}
