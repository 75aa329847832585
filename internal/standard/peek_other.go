//go:build !unix

package standard

// canLook tells whether sight knows.
const canLook = false

// sight cannot tell here what has become of a connection: it shows when it is
// used.
type sight struct{}

func sightOf(any) sight { return sight{} }

func (sight) look() (silent, ended bool) { return true, false }
func (sight) broken() bool               { return false }
func (sight) waiting() bool              { return false }
func (sight) unsent() bool               { return false }
