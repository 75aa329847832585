//go:build poison

package standard

// poison overwrites memory that nobody may read any more: who does so all the
// same is found out by what comes out. Tests are built so; a program never is.
func poison(b []byte) {
	for i := range b {
		b[i] = 0xDB
	}
}
