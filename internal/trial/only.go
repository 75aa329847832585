package trial

import (
	"fmt"
	"regexp"
)

// Only is those of all whose names match the expression that -only was given.
// That there are none is an error, which calls them by kind.
func Only[T any](expression, kind string, all []T, name func(T) string) ([]T, error) {
	only, err := regexp.Compile(expression)
	if err != nil {
		return nil, fmt.Errorf("cannot use -only: %w", err)
	}
	var list []T
	for _, one := range all {
		if only.MatchString(name(one)) {
			list = append(list, one)
		}
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("no %s is called %s", kind, expression)
	}
	return list, nil
}
