//go:build linux

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"

	"rgate/internal/install"
)

// caddy is told its upstreams anew on each event, through its admin API. try is
// its lb_try_duration: how long it goes on to try other upstreams; "" for none,
// which is its default.
func caddy(s *stage, try string) contestant {
	binary, err := install.Caddy()
	if err != nil {
		s.Fatal(err)
	}
	name := "caddy + API"
	if try != "" {
		name += ", lb_try_duration " + try
	}
	return contestant{name, func(p *play) *gateway {
		dir, listen, admin := p.TempDir(), freeAddress(p.stage), freeAddress(p.stage)
		p.keep(dir, "caddy")
		var server *process
		p.front = &gateway{name: "caddy", address: listen}
		p.follow(func(upstreams []string) error {
			config := caddyConfig(listen, admin, try, upstreams)
			if server != nil {
				return caddyLoad(p.stage, admin, config)
			}
			file := filepath.Join(dir, "caddy.json")
			if err := os.WriteFile(file, config, 0o644); err != nil {
				return err
			}
			cmd := exec.Command(binary, "run", "--config", file)
			cmd.Env = append(os.Environ(), "XDG_DATA_HOME="+dir, "XDG_CONFIG_HOME="+dir)
			log, err := os.Create(filepath.Join(dir, "log"))
			if err != nil {
				return err
			}
			p.Cleanup(func() { _ = log.Close() })
			cmd.Stderr = log
			server = start(p.stage, cmd)
			return nil
		})
		awaitListening(p.stage, server, listen, func() string { return said(filepath.Join(dir, "log")) })
		return p.front
	}}
}

// caddyConfig is what caddy-docker-proxy makes of one service.
func caddyConfig(listen, admin, try string, upstreams []string) []byte {
	type object = map[string]any
	dials := []object{}
	for _, u := range upstreams {
		dials = append(dials, object{"dial": u})
	}
	proxy := object{"handler": "reverse_proxy", "upstreams": dials}
	if try != "" {
		proxy["load_balancing"] = object{"try_duration": try}
	}
	config, _ := json.Marshal(object{ // plain values: it cannot fail
		"admin": object{"listen": admin},
		"apps": object{"http": object{"servers": object{"app": object{
			"listen": []string{listen}, "automatic_https": object{"disable": true},
			"routes": []object{{"handle": []object{proxy}}},
		}}}},
	})
	return config
}

func caddyLoad(s *stage, admin string, config []byte) error {
	request, err := http.NewRequestWithContext(s.ctx, http.MethodPost, "http://"+admin+"/load", bytes.NewReader(config))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Close = true
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if body, _ := io.ReadAll(response.Body); response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", response.Status, body)
	}
	return nil
}
