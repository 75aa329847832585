package h1

// Limits bounds what a peer may make us hold or scan. Zero fields mean the
// defaults below.
type Limits struct {
	// MaxHead bounds a whole head, from the first byte to the empty line.
	MaxHead int
	// MaxFields bounds the field lines of a head, and those of a trailer section.
	MaxFields int
	// MaxChunkExt bounds the chunk extension bytes of one body, all chunks together.
	MaxChunkExt int
	// MaxTrailer bounds the trailer section of a chunked body, in bytes.
	MaxTrailer int
}

// Defaults for the zero fields of Limits.
const (
	DefaultMaxHead     = 64 << 10
	DefaultMaxFields   = 128
	DefaultMaxChunkExt = 2 << 10
	DefaultMaxTrailer  = 8 << 10
)

// maxConnectionOptions bounds the options in Connection fields: each is
// compared with every field name, and a head has room for 30,000. As many are
// allowed as fields are by default.
const maxConnectionOptions = 100

func orDefault(n, def int) int {
	if n <= 0 {
		return def
	}
	return n
}
