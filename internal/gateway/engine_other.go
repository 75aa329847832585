//go:build !linux

package gateway

import (
	"errors"

	"rgate/internal/config"
	"rgate/internal/standard"
)

// newEngine is the standard engine: the loop needs Linux.
func (g *Gateway) newEngine(o standard.Options) (engine, error) {
	if g.options.Config.Engine == config.EngineLoop {
		return nil, errors.New("engine: loop needs Linux; set engine to auto or standard")
	}
	return standard.New(o), nil
}
