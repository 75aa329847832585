package gateway

import (
	"rgate/internal/config"
	"rgate/internal/loop"
	"rgate/internal/standard"
)

// newEngine is the engine that the config asks for.
func (g *Gateway) newEngine(o standard.Options) (engine, error) {
	if g.options.Config.Engine == config.EngineStandard {
		return standard.New(o), nil
	}
	handed := loop.NewHanded(g.first.Addr())
	behind := standard.New(o)
	front, err := loop.New(loop.Options{Gate: g.gate, Log: g.log, HandOver: handed.Give, MakeRoom: behind.MakeRoom})
	if err != nil {
		return nil, err
	}
	return &pair{front: front, behind: behind, handed: handed}, nil
}
