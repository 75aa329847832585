package docker

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// configDir is where the docker command keeps its settings.
func configDir(env func(string) string) string {
	if dir := env("DOCKER_CONFIG"); dir != "" {
		return dir
	}
	return filepath.Join(env("HOME"), ".docker")
}

// contextEndpoint is the host of the current Docker context and its TLS files;
// "" where the default context is the current one.
func contextEndpoint(env func(string) string) (string, TLS, error) {
	name := env("DOCKER_CONTEXT")
	dir := configDir(env)
	if name == "" {
		var config struct{ CurrentContext string }
		if err := readJSON(filepath.Join(dir, "config.json"), &config); err != nil && !errors.Is(err, os.ErrNotExist) {
			return "", TLS{}, fmt.Errorf("cannot read the current docker context: %w", err)
		}
		name = config.CurrentContext
	}
	if name == "" || name == "default" {
		return "", TLS{}, nil
	}
	sum := sha256.Sum256([]byte(name))
	id := hex.EncodeToString(sum[:])
	var meta struct {
		Endpoints map[string]struct{ Host string }
	}
	if err := readJSON(filepath.Join(dir, "contexts", "meta", id, "meta.json"), &meta); err != nil {
		return "", TLS{}, fmt.Errorf("cannot read docker context %q: %w", name, err)
	}
	host := meta.Endpoints["docker"].Host
	if host == "" {
		return "", TLS{}, fmt.Errorf("cannot use docker context %q: it names no docker host", name)
	}
	return host, contextTLS(filepath.Join(dir, "contexts", "tls", id, "docker")), nil
}

func contextTLS(dir string) TLS {
	var files TLS
	for name, field := range map[string]*string{"ca.pem": &files.CA, "cert.pem": &files.Cert, "key.pem": &files.Key} {
		if path := filepath.Join(dir, name); exists(path) {
			*field = path
		}
	}
	return files
}

func readJSON(path string, into any) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return json.Unmarshal(content, into)
}
