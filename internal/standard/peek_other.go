//go:build !unix

package standard

// canLook tells whether sight knows.
const canLook = false

// sight cannot tell here what has become of a connection: it shows when it is
// used.
type sight struct{ own looker }

func sightOf(any) sight { return sight{} }

func (s sight) look() (silent, ended bool) {
	if s.own != nil {
		return s.own.Look()
	}
	return true, false
}

func (s sight) broken() bool {
	_, ended := s.look()
	return ended
}

func (s sight) waiting() bool {
	silent, _ := s.look()
	return !silent
}

func (sight) unsent() bool { return false }
