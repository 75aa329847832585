package cli

import (
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"

	"github.com/spf13/cobra"

	"rgate/internal/authority"
	"rgate/internal/cert"
	"rgate/internal/config"
)

func newCA(p Process) *cobra.Command {
	var c client
	var file string
	cmd := &cobra.Command{
		Use:   "ca",
		Short: "Print the certificate of rgate's own authority",
		Long: `Print the certificate of rgate's own authority, which makes the certificates of
listeners with "tls: internal": that of the running gateway, else the one that is
kept in state_dir. Its key stays where it is, and is good for localhost, private
names and private addresses alone, whoever has it.

In a container: docker compose exec gateway /rgate ca > rgate-ca.pem

To trust it, with the output in rgate-ca.pem:
  curl               curl --cacert rgate-ca.pem https://localhost:8443/
  Debian, Ubuntu     sudo cp rgate-ca.pem /usr/local/share/ca-certificates/rgate.crt
                     sudo update-ca-certificates
  Fedora, RHEL       sudo cp rgate-ca.pem /etc/pki/ca-trust/source/anchors/
                     sudo update-ca-trust
  macOS              sudo security add-trusted-cert -d -r trustRoot \
                       -k /Library/Keychains/System.keychain rgate-ca.pem
  Firefox, Chrome    import it under certificates, authorities, in the settings
  Node, Python, Go   NODE_EXTRA_CA_CERTS=, REQUESTS_CA_BUNDLE=, SSL_CERT_FILE=`,
		Example: "  rgate ca > rgate-ca.pem\n  rgate ca --port 9000",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var root authority.Root
			body, err := c.ask(cmd.Context(), http.MethodGet, "/ca")
			switch {
			case err == nil:
				err = decode(body, &root)
			case errors.Is(err, errNotRunning):
				root, err = p.keptRoot(file, cmd.Flags().Changed("config"), err)
			}
			if err != nil {
				return err
			}
			block, _ := pem.Decode([]byte(root.PEM))
			if block == nil || block.Type != "CERTIFICATE" {
				return errors.New("cannot understand the gateway's answer: it holds no certificate")
			}
			block.Headers = nil
			where := "in memory, until the gateway ends"
			if root.File != "" {
				where = root.File
			}
			_ = say(p.Stderr, "%s, valid until %s, kept %s\n", root.Name, root.NotAfter.UTC().Format("2 January 2006"), where)
			return say(p.Stdout, "%s", ink(pem.EncodeToMemory(block)))
		},
	}
	c.flags(cmd)
	cmd.Flags().StringVarP(&file, "config", "c", "config.yml", "configuration file, for its state_dir where no gateway runs")
	return cmd
}

// keptRoot is the root that a gateway would use, of which none runs.
func (p Process) keptRoot(file string, named bool, notRunning error) (authority.Root, error) {
	cfg, err := p.load(file)
	switch {
	case err == nil:
	case named || !errors.Is(err, fs.ErrNotExist):
		return authority.Root{}, err
	default:
		cfg = config.Default()
	}
	dir := cert.StateDir(cfg.StateDir, os.Geteuid(), p.Env)
	root, err := authority.ReadRoot(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return authority.Root{}, fmt.Errorf("%w; nor is there an authority in %s yet, which the first start with `tls: internal` makes", notRunning, authority.File(dir))
	}
	return root, err
}
