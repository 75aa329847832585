//go:build linux

package load

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime/debug"
	"sync"
	"time"
)

// Handshake is the kind of one.
type Handshake string

// The kinds of handshake.
const (
	Full    Handshake = "full"    // with certificate and signature
	Resumed Handshake = "resumed" // of a session, with a key exchange of its own
)

// shaker does handshakes, each followed by one request, on connections of its
// own. Its clients are goroutines: what they cost is little beside a handshake.
type shaker struct {
	Options

	mu      sync.Mutex
	latency Histogram
	result  Result
}

// shakeHands is Run where each request has a connection of its own.
func shakeHands(o Options) (Result, error) {
	if o.Secure == nil {
		return Result{}, errors.New("handshakes want TLS")
	}
	debug.SetGCPercent(400) // a handshake leaves garbage; a kept connection does not
	s := &shaker{Options: o}
	ctx, stop := context.WithCancel(context.Background())
	var clients sync.WaitGroup
	defer clients.Wait()
	defer stop()
	for i := range o.Connections {
		request := o.Request.Bytes(o.Request.Paths[i%len(o.Request.Paths)])
		clients.Go(func() { s.client(ctx, request) })
	}
	time.Sleep(o.Warmup)
	before, err := s.cpu()
	if err != nil {
		return Result{}, err
	}
	began := time.Now()
	s.mu.Lock()
	s.latency.Reset()
	s.result = Result{}
	s.mu.Unlock()
	time.Sleep(o.Duration)
	after, err := s.cpu()
	if err != nil {
		return Result{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.result.CPU, s.result.Elapsed = after-before, time.Since(began)
	s.result.Requests = s.latency.Count()
	s.result.P50, s.result.P99 = s.latency.Quantile(0.5), s.latency.Quantile(0.99)
	if s.result.Errors > mostErrors {
		return Result{}, fmt.Errorf("too many errors: %s", s.result.FirstError)
	}
	return s.result, nil
}

func (s *shaker) cpu() (time.Duration, error) {
	if s.Clock == nil {
		return 0, nil
	}
	return s.Clock()
}

// client connects again and again.
func (s *shaker) client(ctx context.Context, request []byte) {
	var sessions tls.ClientSessionCache
	if s.Handshake == Resumed {
		sessions = tls.NewLRUClientSessionCache(1)
	}
	config := s.Secure.config(sessions)
	buf := make([]byte, 16<<10)
	for known := false; ctx.Err() == nil; {
		start := time.Now()
		err := s.once(config, request, buf, known)
		s.count(time.Since(start), err)
		if err != nil {
			time.Sleep(time.Millisecond) // a gateway that refuses is not to be measured
			continue
		}
		known = s.Handshake == Resumed
	}
}

// once is one connection with its handshake, a request and its answer.
func (s *shaker) once(config *tls.Config, request, buf []byte, resumed bool) error {
	raw, err := net.DialTimeout("tcp", s.Address.String(), answerTimeout)
	if err != nil {
		return err
	}
	defer raw.Close()
	if err := raw.SetDeadline(time.Now().Add(answerTimeout)); err != nil {
		return err
	}
	over := tls.Client(raw, config)
	if err := over.Handshake(); err != nil {
		return fmt.Errorf("handshake: %w", err)
	}
	state := over.ConnectionState()
	if err := s.Secure.agreed(state); err != nil {
		return err
	}
	if state.DidResume != resumed {
		return fmt.Errorf("resumed: %t, want %t", state.DidResume, resumed)
	}
	if _, err := over.Write(request); err != nil {
		return err
	}
	c := connection{pending: true}
	for {
		n, err := over.Read(buf)
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		if n == 0 && err != nil {
			return c.broken(err)
		}
		if done, err := c.take(buf[:n], s.Request.Answer); done || err != nil {
			_ = over.Close() // with the word that it ends in order
			return err
		}
	}
}

func (s *shaker) count(took time.Duration, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil {
		s.latency.Add(took)
		return
	}
	if s.result.Errors++; s.result.FirstError == "" {
		s.result.FirstError = err.Error()
	}
}
