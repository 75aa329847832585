package link

import (
	"fmt"
	"time"

	"rgate/internal/cert"
	"rgate/internal/config"
)

// patience is how long files may take to be read, by who cannot wait.
const patience = 5 * time.Second

// Check reads the files of all backends, as their first connections would. The
// error is a *config.Problems.
func Check(cfg *config.Config) (warnings []config.Problem, err error) {
	var all []config.Problem
	for i := range cfg.Backends {
		b := &cfg.Backends[i]
		if !b.Scheme.Secure() {
			continue
		}
		for _, p := range examine(b) {
			if p.warning {
				warnings = append(warnings, p.Problem)
			} else {
				all = append(all, p.Problem)
			}
		}
	}
	if all != nil {
		return warnings, &config.Problems{List: all}
	}
	return warnings, nil
}

// finding is a problem with a backend, and whether it can be used all the same.
type finding struct {
	config.Problem
	warning bool
}

func examine(b *config.Backend) []finding {
	var list []finding
	if b.TLS.Unverified {
		at := b.TLS.Place
		at.Message = fmt.Sprintf("the endpoints of backend `%s` are not verified: whoever answers there reads and writes everything", b.Name)
		at.Hint = "`ca` names an authority of your own, `server_name` whom certificates are to name"
		list = append(list, finding{at, true})
	}
	found, ok := loadWithin(patience, &b.TLS)
	if !ok {
		at := b.TLS.Place
		at.Message = fmt.Sprintf("the files of this `tls` cannot be read: nothing came in %v", patience)
		at.Hint = "are they on a file system whose server is away?"
		return append(list, finding{at, false})
	}
	for _, p := range found {
		at := b.TLS.CertPlace
		switch p.File {
		case b.TLS.CA:
			at = b.TLS.CAPlace
		case b.TLS.Key:
			at = b.TLS.KeyPlace
		}
		at.Message, at.Hint = p.Text, p.Hint
		list = append(list, finding{at, p.Warning})
	}
	return list
}

// loadWithin gives up a read that hangs, whose goroutine stays until it does not.
func loadWithin(limit time.Duration, said *config.EndpointTLS) (problems []*cert.Problem, ok bool) {
	if len(filesOf(said)) == 0 {
		return nil, true
	}
	done := make(chan []*cert.Problem, 1)
	go func() {
		_, problems := load(said, "")
		done <- problems
	}()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case problems = <-done:
		return problems, true
	case <-timer.C:
		return nil, false
	}
}
