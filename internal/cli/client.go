package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"rgate/internal/admin"
)

// client asks a running gateway over its admin socket.
type client struct {
	port     int
	socket   string
	patience time.Duration // 0 for 30 s
}

func (c *client) flags(cmd *cobra.Command) {
	cmd.Flags().IntVarP(&c.port, "port", "p", 8080, "port of the gateway to ask")
	cmd.Flags().StringVar(&c.socket, "socket", "", "admin socket of the gateway to ask (instead of --port)")
}

func (c *client) path() string {
	if c.socket != "" {
		return c.socket
	}
	return admin.SocketPath(c.port)
}

// errNotRunning says that nobody listens on the admin socket.
var errNotRunning = errors.New("no gateway answers")

// ask sends one request and returns the body of a 200.
func (c *client) ask(ctx context.Context, method, target string) ([]byte, error) {
	if err := checkPort(c.port); err != nil {
		return nil, err
	}
	if err := admin.Check(c.path()); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(c.patience, 30*time.Second))
	defer cancel()
	transport := &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", c.path())
	}}
	request, err := http.NewRequestWithContext(ctx, method, "http://rgate"+target, nil)
	if err != nil {
		return nil, err
	}
	response, err := transport.RoundTrip(request)
	switch {
	case errors.Is(err, os.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return nil, fmt.Errorf("%w on %s: is it running, and on that port? (--port or --socket name another)", errNotRunning, c.path())
	case errors.Is(err, os.ErrPermission):
		return nil, fmt.Errorf("cannot open %s: only the user that runs the gateway may (try sudo)", c.path())
	case err != nil:
		return nil, fmt.Errorf("cannot ask the gateway on %s: %w", c.path(), err)
	}
	defer response.Body.Close()
	body, err := readAnswer(response.Body)
	if err != nil {
		return nil, fmt.Errorf("cannot read the gateway's answer: %w", err)
	}
	switch response.StatusCode {
	case http.StatusOK:
		return body, nil
	case http.StatusUnprocessableEntity: // the configuration
		return nil, usageError{errors.New(strings.TrimSpace(string(body)))}
	}
	return nil, errors.New(strings.TrimSpace(string(body)))
}

// readAnswer bounds an answer: something else may listen there.
func readAnswer(from io.Reader) ([]byte, error) {
	const most = 64 << 20 // of 100,000 endpoints and more
	body, err := io.ReadAll(io.LimitReader(from, most+1))
	if err == nil && len(body) > most {
		err = fmt.Errorf("it is longer than %d bytes", most)
	}
	return body, err
}

// getStats asks for statistics and decodes them.
func (c *client) getStats(ctx context.Context, target string, into any) error {
	body, err := c.askStats(ctx, target)
	if err != nil {
		return err
	}
	return decode(body, into)
}

func decode(body []byte, into any) error {
	if err := json.Unmarshal(body, into); err != nil {
		return fmt.Errorf("cannot understand the gateway's answer: %w", err)
	}
	return nil
}

func newReload(p Process) *cobra.Command {
	var c client
	cmd := &cobra.Command{
		Use:     "reload",
		Short:   "Make a running gateway read its file again",
		Long:    "Make a running gateway read its file again. A bad file keeps what runs; its\nproblems are printed, and the exit code is 2.",
		Example: "  rgate reload\n  rgate reload --port 9000",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			body, err := c.ask(cmd.Context(), http.MethodPost, "/reload")
			if err != nil {
				return err
			}
			var answer struct{ Note string }
			if err := decode(body, &answer); err != nil {
				return err
			}
			text := "reloaded"
			if answer.Note != "" {
				text += ", but " + answer.Note
			}
			err = say(p.Stdout, "%s\n", text)
			return err
		},
	}
	c.flags(cmd)
	return cmd
}

func newUpgrade(p Process) *cobra.Command {
	c := client{patience: 2 * time.Minute} // more than an upgrade may take
	cmd := &cobra.Command{
		Use:   "upgrade",
		Short: "Put the program as it is on disk now in a running gateway's place",
		Long: `Put the program as it is on disk now in a running gateway's place, without a
gap: the new process inherits the sockets, reads the configuration and finds the
endpoints; once it serves, the old one answers what it has and ends. If the new
one does not come to serve within a minute, the old one goes on, and what the
new one said is printed. SIGUSR2 does the same.`,
		Example: "  rgate upgrade\n  rgate upgrade --port 9000",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			body, err := c.ask(cmd.Context(), http.MethodPost, "/upgrade")
			if err != nil {
				return err
			}
			var heir struct{ PID int }
			if err := decode(body, &heir); err != nil {
				return err
			}
			err = say(p.Stdout, "process %d has taken over\n", heir.PID)
			return err
		},
	}
	c.flags(cmd)
	return cmd
}

// newHold is drain or undrain.
func newHold(p Process, verb string) *cobra.Command {
	var c client
	long := "Take a container out of use until undrain: it gets no new request, and what is\nin flight on it ends undisturbed. One that is started anew under the same name,\nor the id that was given, stays out of use; so it does through an upgrade."
	if verb == "undrain" {
		long = "Put a container that was drained by hand back to use."
	}
	cmd := &cobra.Command{
		Use:     verb + " CONTAINER",
		Short:   map[string]string{"drain": "Take a container out of use", "undrain": "Put a drained container back to use"}[verb],
		Long:    long,
		Example: "  rgate " + verb + " payment-1",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usageError{fmt.Errorf("%s takes the name or id of one container", cmd.CommandPath())}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if _, err := c.ask(cmd.Context(), http.MethodPost, "/"+verb+"?container="+url.QueryEscape(args[0])); err != nil {
				return err
			}
			err := say(p.Stdout, "%s: %sed\n", args[0], verb)
			return err
		},
	}
	c.flags(cmd)
	return cmd
}
