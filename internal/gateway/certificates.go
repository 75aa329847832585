package gateway

import (
	"context"
	"time"

	"rgate/internal/cert"
	"rgate/internal/config"
	"rgate/internal/listen"
)

// watchCertificates has the certificates that are served read again where their
// files change, and no others.
func (o *owner) watchCertificates() {
	o.manage()
	served := map[*listen.TLS]bool{}
	for _, l := range o.listeners {
		t := l.TLS()
		if t == nil {
			continue
		}
		served[t] = true
		if o.certificates[t] != nil {
			continue
		}
		ctx, stop := context.WithCancel(o.life)
		if o.certificates == nil {
			o.certificates = map[*listen.TLS]context.CancelFunc{}
		}
		o.certificates[t] = stop
		o.owned.Go(func() { t.Watch(ctx, o.options.Poll, o.tellCertificate) })
		o.owned.Go(func() { t.WatchClients(ctx, o.options.Poll, o.tellClients) })
		o.owned.Go(func() { t.Follow(ctx) })
		o.owned.Go(func() { t.Staple(ctx, o.tellStaple) })
	}
	for t, stop := range o.certificates {
		if !served[t] {
			stop()
			delete(o.certificates, t)
		}
	}
}

// tellCertificate logs what became of a certificate whose files have changed.
func (g *Gateway) tellCertificate(p cert.Pair, served bool, problems []*cert.Problem) {
	for _, problem := range problems {
		g.log.Warn("a certificate is not as it should be", "file", problem.File, "reason", problem.Error())
	}
	if served {
		g.log.Info("a certificate was read again", "cert", p.Cert)
	} else {
		g.log.Error("a certificate cannot be read again; the one before is still served", "cert", p.Cert, "key", p.Key)
	}
}

// tellClients logs what became of a file of clients' authorities that has changed.
func (g *Gateway) tellClients(path string, taken bool, problems []*cert.Problem) {
	for _, problem := range problems {
		g.log.Warn("the authorities of clients are not as they should be", "file", problem.File, "reason", problem.Error())
	}
	if taken {
		g.log.Info("the authorities of clients were read again", "ca", path)
	} else {
		g.log.Error("the authorities of clients cannot be read again; those before are still trusted", "ca", path)
	}
}

// tellStaple logs how it stands with a certificate's OCSP response where that has
// changed.
func (g *Gateway) tellStaple(file string, err error, must bool, left time.Time) {
	switch log := g.log.With("cert", file); {
	case err == nil:
		log.Info("an OCSP response was got again", "until", left)
	case left.After(time.Now()):
		log.Warn("no new OCSP response can be got; the one before is served", "until", left, "error", err)
	case must:
		log.Error("no OCSP response can be got, and the certificate demands one (Must-Staple): some clients refuse it", "error", err)
	default:
		log.Warn("no OCSP response can be got; the certificate is served without one", "error", err)
	}
}

// warn logs what is wrong with what takes effect all the same.
func (g *Gateway) warn(problems []config.Problem) {
	for _, p := range problems {
		g.log.Warn("a listener is not as it should be", "place", p.Place(), "reason", p.Text())
	}
}
