//go:build linux

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"rgate/internal/install"
)

// nginx is Debian's, with a supervisor that writes the upstreams anew and
// reloads it on each event, as nginx-proxy does.
func nginx(s *stage) contestant {
	if err := install.Debian("nginx"); err != nil {
		s.Fatal(err)
	}
	return contestant{"nginx + reload", func(p *play) *gateway {
		dir, listen := p.TempDir(), freeAddress(p.stage)
		p.keep(dir, "nginx")
		if err := os.Chmod(dir, 0o755); err != nil { // its workers are another user
			p.Fatal(err)
		}
		var master *process
		p.front = &gateway{name: "nginx", address: listen}
		p.follow(func(upstreams []string) error {
			if err := os.WriteFile(filepath.Join(dir, "nginx.conf"), []byte(nginxConfig(dir, listen, upstreams)), 0o644); err != nil {
				return err
			}
			if master != nil {
				return master.cmd.Process.Signal(syscall.SIGHUP)
			}
			master = start(p.stage, exec.Command("nginx", "-p", dir, "-c", filepath.Join(dir, "nginx.conf"), "-e", filepath.Join(dir, "error.log")))
			return nil
		})
		awaitListening(p.stage, master, listen, func() string { return said(filepath.Join(dir, "error.log")) })
		return p.front
	}}
}

// nginxConfig is what nginx-proxy's template amounts to for one service.
func nginxConfig(dir, listen string, upstreams []string) string {
	var servers strings.Builder
	for _, u := range upstreams {
		fmt.Fprintf(&servers, "        server %s;\n", u)
	}
	if len(upstreams) == 0 {
		servers.WriteString("        server 127.0.0.1 down;\n")
	}
	return fmt.Sprintf(`daemon off;
worker_processes auto;
pid %[1]s/nginx.pid;
error_log %[1]s/error.log;
events { worker_connections 4096; }
http {
    access_log off;
    client_body_temp_path %[1]s/body;
    proxy_temp_path %[1]s/proxy;
    fastcgi_temp_path %[1]s/fastcgi;
    uwsgi_temp_path %[1]s/uwsgi;
    scgi_temp_path %[1]s/scgi;
    upstream app {
%[3]s        keepalive %[4]d;
    }
    server {
        listen %[2]s;
        location / {
            proxy_pass http://app;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        }
    }
}
`, dir, listen, servers.String(), max(2, 2*len(upstreams)))
}

func said(file string) string {
	text, _ := os.ReadFile(file)
	return string(text)
}
