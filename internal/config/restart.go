package config

// restartKeys are the values that are fixed when rgate starts: sockets that
// are bound, and the engines.
var restartKeys = []struct {
	name string
	of   func(*Config) any
}{
	{"listen", func(c *Config) any { return c.Listen }},
	{"engine", func(c *Config) any { return c.Engine }},
	{"admin.socket", func(c *Config) any { return c.Admin.Socket }},
	{"state_dir", func(c *Config) any { return c.StateDir }},
	{"docker.host", func(c *Config) any { return c.Docker.Host }},
	{"docker.tls", func(c *Config) any { return c.Docker.TLS }},
}

// RestartNeeded names the keys that differ between the two and take effect
// only when rgate is started anew.
func RestartNeeded(old, new *Config) []string {
	var keys []string
	for _, k := range restartKeys {
		if k.of(old) != k.of(new) {
			keys = append(keys, k.name)
		}
	}
	return keys
}
