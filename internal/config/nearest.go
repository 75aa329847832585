package config

import "strings"

// longestName is the longest name that is worth comparing: longer ones are not
// slips of the finger.
const longestName = 64

// Nearest is the candidate that name was probably meant to be, or "".
func Nearest(name string, candidates []string) string {
	if name == "" || len(name) > longestName {
		return ""
	}
	folded := fold(name)
	best, bestDistance := "", max(1, len(name)/3)+1
	for _, c := range candidates {
		if gap := len(c) - len(name); gap >= bestDistance || -gap >= bestDistance || len(c) > longestName {
			continue
		}
		if d := distance(folded, fold(c)); d < bestDistance {
			best, bestDistance = c, d
		}
	}
	if best != "" || len(name) < 4 {
		return best
	}
	for _, c := range candidates { // prefix for path_prefix, status for status_code
		if strings.Contains(fold(c), folded) {
			return c
		}
	}
	return ""
}

// fold makes names alike that differ in case or in the kind of dash.
func fold(s string) string {
	return strings.ToLower(strings.ReplaceAll(s, "-", "_"))
}

// distance counts the insertions, deletions, replacements and swaps of
// neighbours that turn a into b.
func distance(a, b string) int {
	before, row := make([]int, len(b)+1), make([]int, len(b)+1)
	next := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		next[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			next[j] = min(row[j]+1, next[j-1]+1, row[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				next[j] = min(next[j], before[j-2]+1)
			}
		}
		before, row, next = row, next, before
	}
	return row[len(b)]
}
