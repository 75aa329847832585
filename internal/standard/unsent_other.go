//go:build unix && !linux

package standard

// unsent cannot tell here.
func (sight) unsent() bool { return false }
