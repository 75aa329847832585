package policy

import (
	"crypto/sha256"
	"slices"
	"strings"

	"rgate/internal/config"
)

// Consumer is who a request was found to come from.
type Consumer struct {
	Name string
	Tags string // between commas; "" for none

	called []string // its name and tags
}

// Consumers are all that a table knows.
type Consumers struct {
	byKey map[config.KeyHash]*Consumer
	any   bool
}

// NewConsumers makes them of those of a file.
func NewConsumers(all []config.Consumer) *Consumers {
	c := &Consumers{byKey: map[config.KeyHash]*Consumer{}, any: len(all) > 0}
	for i := range all {
		one := &Consumer{Name: all[i].Name, Tags: strings.Join(all[i].Tags, ","), called: append([]string{all[i].Name}, all[i].Tags...)}
		for _, hash := range all[i].Keys {
			c.byKey[hash] = one
		}
	}
	return c
}

// owner is whose key it is; nil for nobody's. That the hashes are compared as a
// map does tells nothing: nobody can choose what a key's hash begins with without
// having the key.
func (c *Consumers) owner(key []byte) *Consumer { return c.byKey[sha256.Sum256(key)] }

// is tells whether c has one of these names and tags; nil is for any.
func (c *Consumer) is(names map[string]bool) bool {
	return names == nil || slices.ContainsFunc(c.called, func(n string) bool { return names[n] })
}

// The fields by which endpoints are told the consumer.
const (
	FieldConsumer     = "X-Consumer-Name"
	FieldConsumerTags = "X-Consumer-Tags"
)

// identity takes away what only rgate says of consumers. It stands on every route
// of a file that has any.
type identity struct{}

var identityEdits = &Edits{drop: []string{lower(FieldConsumer), lower(FieldConsumerTags)}}

func (identity) edits() (request, response *Edits) { return identityEdits, nil }

// String implements Policy.
func (identity) String() string { return "consumers: X-Consumer-… of clients are removed" }

// AppendConsumer appends the fields that tell of c; nil is nobody.
func AppendConsumer(dst []byte, c *Consumer) []byte {
	if c == nil {
		return dst
	}
	dst = append(append(append(dst, FieldConsumer...), ": "...), c.Name...)
	if c.Tags != "" {
		dst = append(append(append(dst, "\r\n"...), FieldConsumerTags...), ": "...)
		dst = append(dst, c.Tags...)
	}
	return append(dst, '\r', '\n')
}
