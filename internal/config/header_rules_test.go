package config

import (
	"strings"
	"testing"
)

// What comes from the environment may be a secret, and is not repeated.
func TestAValueOfTheEnvironmentIsNotTold(t *testing.T) {
	text := "routes: [{path_prefix: /, respond: {}, policies: [{headers: {request: {set: {Authorization: \"Bearer ${TOKEN}\"}}}}]}]\n"
	for _, secret := range []string{"s3cr{t", "s3cr\x07t"} {
		_, err := Parse("c.yml", []byte(text), func(string) (string, bool) { return secret, true })
		if err == nil || strings.Contains(err.Error(), "s3cr") {
			t.Errorf("%q: %v", secret, err)
		}
	}
}
