package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

// scalar is one value as it stands in the file, variables expanded.
type scalar struct {
	name     string // of the key it belongs to
	node     *yaml.Node
	text     string
	expanded bool // a variable was in it: its text may then be of any type
}

// reader turns a scalar into a V, or reports why it cannot.
type reader[V any] func(d *decoder, s scalar) (V, bool)

// scalar takes a node for one value and expands its variables.
func (d *decoder) scalar(name string, n *yaml.Node) (scalar, bool) {
	n = follow(n)
	if n.Kind != yaml.ScalarNode {
		d.problem(n, "write one value after `"+name+":`", "`%s` must be one value, not %s", name, kindOf(n))
		return scalar{}, false
	}
	if !d.plainTag(n) {
		return scalar{}, false
	}
	if isNull(n) {
		d.problem(n, "leave the key out to get its default, or give it a value", "`%s` has no value", name)
		return scalar{}, false
	}
	text, expanded, ok := d.expand(n)
	return scalar{name, n, text, expanded}, ok
}

// wrong reports a value that is none of the wanted kind.
func (s scalar) wrong(d *decoder, want, hint string) {
	got := shown(s.text)
	if kind := kindOf(s.node); kind == "text" && !s.expanded && s.node.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0 {
		got = "text in quotes"
	}
	d.problem(s.node, hint, "`%s` must be %s, not %s", s.name, want, got)
}

// isText tells whether YAML takes the scalar for text, as it does for all in
// quotes. What a variable gave may be anything.
func (s scalar) isText() bool { return s.node.Tag == "!!str" || s.expanded }

// unquoted tells whether the scalar may be something else than text.
func (s scalar) unquoted() bool { return s.node.Tag != "!!str" || s.expanded }

// check says what is wrong with a text, and what would be right.
type check func(text string) (message, hint string)

// text reads text that passes the checks.
func text(checks ...check) reader[string] {
	return func(d *decoder, s scalar) (string, bool) {
		if !s.isText() {
			hint := "write it in quotes: " + strconv.Quote(s.node.Value)
			for _, c := range checks {
				if message, right := c(s.node.Value); message != "" {
					hint = right // quotes alone would not do
				}
			}
			s.wrong(d, "text", hint)
			return "", false
		}
		for _, c := range checks {
			if message, hint := c(s.text); message != "" {
				d.problem(s.node, hint, "%s", message)
				return "", false
			}
		}
		return s.text, true
	}
}

// integer reads a whole number within bounds.
func integer(low, high int) reader[int] {
	return func(d *decoder, s scalar) (int, bool) {
		hint := "such as `" + s.name + ": " + strconv.Itoa(max(low, min(high, 10))) + "`"
		if _, err := strconv.Atoi(s.text); err == nil && !s.unquoted() {
			hint = "leave out the quotes"
		}
		number, err := strconv.ParseInt(s.text, 10, 64)
		if !s.unquoted() || err != nil {
			s.wrong(d, "a whole number", hint)
			return 0, false
		}
		if number < int64(low) || number > int64(high) {
			d.problem(s.node, bounds(low, high), "`%s` cannot be %s", s.name, shown(s.text))
			return 0, false
		}
		return int(number), true
	}
}

func bounds(low, high int) string {
	if high == math.MaxInt32 {
		return fmt.Sprintf("%d or more", low)
	}
	return fmt.Sprintf("between %d and %d", low, high)
}

// boolean reads true or false.
func boolean(d *decoder, s scalar) (bool, bool) {
	if s.unquoted() && (s.text == "true" || s.text == "false") {
		return s.text == "true", true
	}
	s.wrong(d, "true or false", "write `"+s.name+": true` or `"+s.name+": false`")
	return false, false
}

// duration reads a time span such as 30s or 1m30s, within bounds.
func duration(low, high time.Duration) reader[time.Duration] {
	return func(d *decoder, s scalar) (time.Duration, bool) {
		span, err := time.ParseDuration(s.text)
		if err != nil {
			hint := "a number and its unit, such as `500ms`, `30s`, `5m` or `1h30m`"
			if _, numErr := strconv.ParseFloat(s.text, 64); numErr == nil {
				hint = "add the unit: `" + strings.TrimSpace(s.text) + "s` for seconds"
			}
			s.wrong(d, "a time span", hint)
			return 0, false
		}
		if span < low || span > high {
			d.problem(s.node, "between "+plainSpan(low)+" and "+plainSpan(high), "`%s` cannot be %s", s.name, shown(s.text))
			return 0, false
		}
		return span, true
	}
}

// plainSpan is a duration without its empty parts: 24h, not 24h0m0s.
func plainSpan(span time.Duration) string {
	s := span.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// sizeUnits are what may follow the number of a size. All count by 1,024.
var sizeUnits = []struct {
	suffix string
	bytes  int64
}{
	{"kib", 1 << 10}, {"mib", 1 << 20}, {"gib", 1 << 30},
	{"kb", 1 << 10}, {"mb", 1 << 20}, {"gb", 1 << 30},
	{"k", 1 << 10}, {"m", 1 << 20}, {"g", 1 << 30},
	{"b", 1},
}

// size reads a number of bytes, such as 65536 or 64KB.
func size(low, high int) reader[int] {
	return func(d *decoder, s scalar) (int, bool) {
		digits, unit := strings.ToLower(s.text), int64(1)
		for _, u := range sizeUnits {
			if rest, ok := strings.CutSuffix(digits, u.suffix); ok {
				digits, unit = strings.TrimSpace(rest), u.bytes
				break
			}
		}
		number, err := strconv.ParseInt(digits, 10, 64)
		if err != nil || number < 0 {
			s.wrong(d, "a size", "a number of bytes such as `65536`, or with a unit: `64KB`, `1MB`")
			return 0, false
		}
		if number > int64(high)/unit || number*unit < int64(low) {
			d.problem(s.node, fmt.Sprintf("between %s and %s", plainSize(low), plainSize(high)), "`%s` cannot be %s", s.name, shown(s.text))
			return 0, false
		}
		return int(number * unit), true
	}
}

func plainSize(bytes int) string {
	switch {
	case bytes >= 1<<20 && bytes%(1<<20) == 0:
		return fmt.Sprintf("%dMB", bytes>>20)
	case bytes >= 1<<10 && bytes%(1<<10) == 0:
		return fmt.Sprintf("%dKB", bytes>>10)
	}
	return strconv.Itoa(bytes)
}

// choice reads one of a few words.
func choice[V ~string](options ...V) reader[V] {
	return func(d *decoder, s scalar) (V, bool) {
		words := make([]string, len(options))
		for i, option := range options {
			if words[i] = string(option); words[i] == s.text {
				return option, true
			}
		}
		hint := "one of " + strings.Join(words, ", ")
		if len(words) == 1 {
			hint = "there is only `" + words[0] + "`"
		}
		if near := d.guess(s.text, words); near != "" {
			hint = "did you mean `" + near + "`?"
		}
		d.problem(s.node, hint, "`%s` cannot be %s", s.name, shown(s.text))
		return "", false
	}
}
