package route

import (
	"slices"

	"rgate/internal/config"
)

// Methods is a set of those methods that routes of a table name.
type Methods uint64

// methodNames are the methods that the routes of a table name, sorted. Their
// places are the bits of Methods; a file cannot name more than there are.
type methodNames []string

func namesOf(routes []config.Route) methodNames {
	var all methodNames
	for i := range routes {
		for _, m := range routes[i].Methods {
			if at, known := slices.BinarySearch(all, m); !known {
				all = slices.Insert(all, at, m)
			}
		}
	}
	return all
}

// of is the set of one method; empty where no route names it.
func (n methodNames) of(method []byte) Methods {
	for i, name := range n {
		if string(method) == name {
			return 1 << i
		}
	}
	return 0
}

// set is the set of several.
func (n methodNames) set(methods []string) Methods {
	var all Methods
	for _, m := range methods {
		all |= n.of([]byte(m))
	}
	return all
}

// MethodNames lists a set, sorted.
func (t *Table) MethodNames(set Methods) []string {
	var all []string
	for i, name := range t.methods {
		if set&(1<<i) != 0 {
			all = append(all, name)
		}
	}
	return all
}
