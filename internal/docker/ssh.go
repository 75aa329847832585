package docker

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/url"
	"os/exec"
	"sync"
	"time"
)

// sshConn is a connection to a far engine through the ssh command, which knows
// the user's keys, agents and jump hosts better than rgate could.
type sshConn struct {
	io.Reader
	io.WriteCloser
	cmd   *exec.Cmd
	ended sync.Once
}

// dialSSH runs `ssh HOST docker system dial-stdio`.
func dialSSH(_ context.Context, t target) (net.Conn, error) {
	u, err := url.Parse(t.String())
	if err != nil {
		return nil, fmt.Errorf("cannot read %s: %w", t, err)
	}
	args := []string{"-o", "BatchMode=yes", "-o", "ConnectTimeout=10", "-T"}
	if user := u.User.Username(); user != "" {
		args = append(args, "-l", user)
	}
	if port := u.Port(); port != "" {
		args = append(args, "-p", port)
	}
	// The connection outlives the dial, so its context must not end the command.
	cmd := exec.Command("ssh", append(args, "--", u.Hostname(), "docker", "system", "dial-stdio")...)
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("cannot run ssh: %w", err)
	}
	return &sshConn{Reader: out, WriteCloser: in, cmd: cmd}, nil
}

// Close ends the command.
func (c *sshConn) Close() error {
	c.ended.Do(func() {
		_ = c.WriteCloser.Close()
		_ = c.cmd.Process.Kill()
		_ = c.cmd.Wait()
	})
	return nil
}

// The rest of net.Conn: addresses that mean nothing and deadlines that
// net/http does not set on client connections.

func (c *sshConn) LocalAddr() net.Addr              { return &net.UnixAddr{Name: "ssh", Net: "unix"} }
func (c *sshConn) RemoteAddr() net.Addr             { return &net.UnixAddr{Name: "ssh", Net: "unix"} }
func (c *sshConn) SetDeadline(time.Time) error      { return nil }
func (c *sshConn) SetReadDeadline(time.Time) error  { return nil }
func (c *sshConn) SetWriteDeadline(time.Time) error { return nil }
