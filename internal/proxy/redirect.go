package proxy

// Redirect knows which hosts are served with TLS, and on which port.
type Redirect interface {
	HTTPS(host []byte) (port string, ok bool)
}

// redirected answers a request in the clear for a host that is served with TLS.
// Not others: whoever names a host of his own must not be sent there by rgate.
func (x *Exchange) redirected() bool {
	port, ok := x.Redirect.HTTPS(x.Host)
	if !ok {
		return false
	}
	to := append([]byte("https://"), withoutPort(x.Host)...)
	if port != "443" {
		to = append(append(to, ':'), port...)
	}
	if len(x.Target) > 0 && x.Target[0] == '/' { // * is no path
		to = append(to, x.Target...)
	}
	a := plain(308, ReasonRedirect, "this host is served with TLS\n")
	a.Fields = [][2]string{{"Location", string(to)}}
	x.Table.Unmatched.Begin()
	x.reply(a)
	return true
}

// withoutPort is a Host field's value without its port.
func withoutPort(host []byte) []byte {
	for i := len(host) - 1; i >= 0; i-- {
		switch c := host[i]; {
		case c == ':':
			return host[:i]
		case c < '0' || c > '9':
			return host
		}
	}
	return host
}
