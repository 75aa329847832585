// Command testserver is the service inside every test container: it shows
// what reached it byte for byte, answers as badly as it is told to, and starts
// and stops in the ways that services do. It is static and needs nothing but
// the standard library, so an image FROM scratch holds it alone.
package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"
)

// options are the ways a test bends the server.
type options struct {
	name         string
	listen       string
	listenAfter  time.Duration
	unhealthyFor time.Duration
	failFor      time.Duration
	ignoreTerm   bool
	termFor      time.Duration
	idle         time.Duration
}

func main() {
	var o options
	var health string
	hostname, _ := os.Hostname()
	flag.StringVar(&o.name, "name", envOr("NAME", hostname), "name told in answers")
	flag.StringVar(&o.listen, "listen", envOr("LISTEN", ":8080"), "addresses to listen on, separated by commas")
	flag.DurationVar(&o.listenAfter, "listen-after", 0, "wait before listening")
	flag.DurationVar(&o.unhealthyFor, "unhealthy-for", 0, "how long /healthz answers 503 at first")
	flag.DurationVar(&o.failFor, "fail-for", 0, "how long everything but /healthz answers 500 at first")
	flag.BoolVar(&o.ignoreTerm, "ignore-term", false, "go on as if SIGTERM had not come")
	flag.DurationVar(&o.termFor, "term-for", 0, "how long to go on serving after SIGTERM before the end")
	flag.DurationVar(&o.idle, "idle", 0, "close idle connections after this long (0: never)")
	flag.StringVar(&health, "health", "", "ask this URL and exit 0 if it answers 2xx, else 1 (for HEALTHCHECK)")
	flag.Parse()
	if health != "" {
		os.Exit(checkHealth(health))
	}
	if err := run(o); err != nil {
		fmt.Fprintln(os.Stderr, "testserver:", err)
		os.Exit(1)
	}
}

func envOr(key, otherwise string) string {
	if v := os.Getenv(key); v != "" {
		return v
	}
	return otherwise
}

func checkHealth(url string) int {
	client := http.Client{Timeout: 2 * time.Second}
	resp, err := client.Get(url)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	_ = resp.Body.Close()
	fmt.Println(resp.Status)
	if resp.StatusCode/100 != 2 {
		return 1
	}
	return 0
}

// run serves until a stop signal ends it. HUP, USR1 and USR2 end nothing, so
// that tests can send signals that are no stop.
func run(o options) error {
	stop := make(chan os.Signal, 4)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT, syscall.SIGQUIT)
	signal.Ignore(syscall.SIGHUP, syscall.SIGUSR1, syscall.SIGUSR2)

	select {
	case <-time.After(o.listenAfter):
	case <-stop:
		return nil
	}
	server := &http.Server{
		Handler:     newHandler(o, time.Now()),
		IdleTimeout: o.idle,
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, connKey{}, c)
		},
	}
	failed := make(chan error, 1)
	var serving sync.WaitGroup
	for addr := range strings.SplitSeq(o.listen, ",") {
		l, err := net.Listen("tcp", addr)
		if err != nil {
			return err
		}
		serving.Go(func() {
			if err := server.Serve(tapListener{l}); err != http.ErrServerClosed {
				failed <- err
			}
		})
	}
	fmt.Println("listening on", o.listen)
	for {
		select {
		case err := <-failed:
			return err
		case <-stop:
			if o.ignoreTerm {
				continue
			}
			time.Sleep(o.termFor)
			ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
			defer cancel()
			err := server.Shutdown(ctx)
			serving.Wait()
			return err
		}
	}
}
