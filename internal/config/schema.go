package config

import (
	"bytes"
	_ "embed"
)

//go:embed rgate.schema.json
var schema []byte

// Schema is the JSON Schema (draft 2020-12) of the file, for editors.
func Schema() []byte { return bytes.Clone(schema) }
