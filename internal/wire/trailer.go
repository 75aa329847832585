package wire

import (
	"rgate/internal/h1"
	"rgate/internal/policy"
)

// AppendLastChunk appends the end of a body in chunks with its trailer fields, but
// for those that edits, which may be nil, take out of the head: some that receive a
// message put both together.
func AppendLastChunk(dst []byte, trailer []h1.Field, edits *policy.Edits) []byte {
	dst = append(dst, '0', '\r', '\n')
	for i := range trailer {
		if f := &trailer[i]; !edits.Drops(f.Name) {
			dst = h1.AppendField(dst, f.Name, f.Value)
		}
	}
	return append(dst, '\r', '\n')
}
