//go:build poison

package buffer

// Poison overwrites memory that nobody may read any more: who does so all the
// same is found out by what comes out. Tests are built so; a program never is.
func Poison(b []byte) {
	for i := range b {
		b[i] = 0xDB
	}
}
