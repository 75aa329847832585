//go:build linux

package peer

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// spareUpstream is how many idle connections to the origin a peer may keep:
// more than any scenario has busy at once.
const spareUpstream = 512

func nginxConfig(s Site) map[string]string {
	var b strings.Builder
	if os.Geteuid() == 0 { // else nginx warns, and runs as whoever started it
		b.WriteString("user root;\n")
	}
	fmt.Fprintf(&b, `worker_processes 1;
worker_rlimit_nofile 20000;
daemon off;
pid %[1]s/nginx.pid;
error_log stderr crit;
events { worker_connections 19000; }
http {
	access_log off;
	server_tokens off;
	client_body_temp_path %[1]s/body;
	proxy_temp_path %[1]s/proxy;
	fastcgi_temp_path %[1]s/fastcgi;
	uwsgi_temp_path %[1]s/uwsgi;
	scgi_temp_path %[1]s/scgi;
	client_max_body_size 16m;
	keepalive_timeout 65s;
	keepalive_requests 1000000000;
	upstream origin {
		server %[2]s;
		keepalive %[3]d;
		keepalive_requests 1000000000;
		keepalive_timeout 60s;
	}
	proxy_http_version 1.1;
	proxy_set_header Connection "";
	proxy_set_header Host $host;
	proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
	proxy_set_header X-Forwarded-Host $host;
	proxy_set_header X-Forwarded-Proto $scheme;
	proxy_set_header X-Request-Id $request_id;
	# Bodies pass through, as they do in the others: nothing goes to disk.
	proxy_request_buffering off;
	# By default nginx moves bodies in pieces of 4 KB. Of the sizes tried, these
	# cost it least: a fifth less with 10 KB, two fifths less with 1 MiB.
	proxy_buffer_size 12k;
	proxy_buffers 8 16k;
	proxy_busy_buffers_size 96k;
	client_body_buffer_size 64k;
	proxy_max_temp_file_size 0;
	ssl_certificate %[5]s;
	ssl_certificate_key %[6]s;
	ssl_protocols TLSv1.3;
	ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;
	ssl_ecdh_curve X25519;
	server {
		listen %[4]s backlog=4096;
		listen %[7]s ssl http2 backlog=4096;
`, s.Dir, s.Origin, spareUpstream, s.Listen, s.Cert, s.Key, s.Secure)
	for _, prefix := range Prefixes {
		fmt.Fprintf(&b, "\t\tlocation %s { proxy_pass http://origin; }\n", prefix)
	}
	b.WriteString("\t}\n}\n")
	return map[string]string{"nginx.conf": b.String()}
}

const haproxyGlobal = `global
	nbthread 1
	maxconn %d
	# Keep every idle connection to the origin.
	tune.pool-low-fd-ratio 99
	tune.pool-high-fd-ratio 100
defaults
	timeout connect 1s
	timeout client 65s
	timeout server 60s
`

func haproxyConfig(s Site) map[string]string {
	var b strings.Builder
	fmt.Fprintf(&b, haproxyGlobal, mostConnections)
	fmt.Fprintf(&b, `	mode http
	http-reuse always
	option forwardfor
	unique-id-format %%{+X}o\ %%ci:%%cp_%%fi:%%fp_%%Ts_%%rt:%%pid
	unique-id-header X-Request-Id
frontend in
	bind %s backlog 4096
	bind %s backlog 4096 ssl crt %s alpn h2,http/1.1 ssl-min-ver TLSv1.3 ciphersuites TLS_AES_128_GCM_SHA256 curves X25519
	http-request set-header X-Forwarded-Proto http unless { ssl_fc }
	http-request set-header X-Forwarded-Proto https if { ssl_fc }
	http-request set-header X-Forwarded-Host %%[req.hdr(host)]
`, s.Listen, s.Secure, s.Pair)
	for _, prefix := range Prefixes[:len(Prefixes)-1] {
		fmt.Fprintf(&b, "\tuse_backend origin if { path_beg %s }\n", prefix)
	}
	fmt.Fprintf(&b, `	default_backend origin
backend origin
	server origin %s pool-max-conn %d pool-purge-delay 60s
`, s.Origin, spareUpstream)
	return map[string]string{"haproxy.cfg": b.String()}
}

func haproxyTCPConfig(s Site) map[string]string {
	text := fmt.Sprintf(haproxyGlobal, mostConnections) + fmt.Sprintf(`	mode tcp
frontend in
	bind %s backlog 4096
	default_backend origin
backend origin
	server origin %s
`, s.Listen, s.Origin)
	return map[string]string{"haproxy.cfg": text}
}

// rgateConfig leaves every feature as it is by default, and lifts the one
// limit that is on connections of a single client.
func rgateConfig(s Site, engine string) map[string]string {
	var b strings.Builder
	fmt.Fprintf(&b, `listen: "%s"
engine: %s
admin:
  socket: %s
limits:
  connections_per_client: 0
listeners:
  - address: "%s"
    tls:
      certificates: [{cert: %s, key: %s}]
backends:
  - name: origin
    endpoints: [%s]
routes:
`, s.Listen, engine, filepath.Join(s.Dir, "admin.sock"), s.Secure, s.Cert, s.Key, s.Origin)
	for _, prefix := range Prefixes {
		fmt.Fprintf(&b, "  - path_prefix: %s\n    backend: origin\n", prefix)
	}
	return map[string]string{"rgate.yml": b.String()}
}

func caddyConfig(s Site) map[string]string {
	var b strings.Builder
	fmt.Fprintf(&b, `{
	admin off
	auto_https off
	persist_config off
	log {
		level ERROR
	}
}
(site) {
	bind %s
`, s.Listen.Addr())
	for _, prefix := range Prefixes {
		fmt.Fprintf(&b, `	handle %s* {
		reverse_proxy %s {
			header_up X-Request-Id {http.request.uuid}
			transport http {
				keepalive_idle_conns %d
				keepalive_idle_conns_per_host %d
			}
		}
	}
`, prefix, s.Origin, spareUpstream, spareUpstream)
	}
	fmt.Fprintf(&b, "}\nhttp://:%d {\n\timport site\n}\n", s.Listen.Port())
	fmt.Fprintf(&b, "https://%s:%d {\n\ttls %s %s\n\timport site\n}\n", Host, s.Secure.Port(), s.Cert, s.Key)
	return map[string]string{"Caddyfile": b.String()}
}
