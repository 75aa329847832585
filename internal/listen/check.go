package listen

import "rgate/internal/config"

// Check reads the certificates of listeners, as a start would. The error is a
// *config.Problems.
func Check(listeners []config.Listener) (secured []*TLS, warnings []config.Problem, err error) {
	var all []config.Problem
	secured = make([]*TLS, len(listeners))
	for i, l := range listeners {
		if l.TLS == nil {
			continue
		}
		t, more, err := OpenTLS(l.TLS, Supply{})
		secured[i], warnings = t, append(warnings, more...)
		if problems, ok := err.(*config.Problems); ok {
			all = append(all, problems.List...)
		}
	}
	if all != nil {
		return nil, warnings, &config.Problems{List: config.Sorted(all)}
	}
	return secured, warnings, nil
}
