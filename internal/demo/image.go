package demo

import (
	"archive/tar"
	"bytes"
	"debug/elf"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

const dockerfile = `FROM scratch
COPY rgate /rgate
USER 65532:65532
EXPOSE 3000
ENTRYPOINT ["/rgate"]
`

// staticBinary reads an executable that runs in an image with nothing else.
func staticBinary(path string) ([]byte, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read rgate's own binary: %w", err)
	}
	file, err := elf.NewFile(bytes.NewReader(content))
	if err != nil {
		return nil, fmt.Errorf("this rgate (%s) is no Linux binary, which containers need", path)
	}
	for _, p := range file.Progs {
		if p.Type == elf.PT_INTERP {
			return nil, fmt.Errorf("this rgate (%s) is not static, so it cannot run in an empty image; `make build` makes a static one", path)
		}
	}
	return content, nil
}

// buildContext is the tar that an image is built from.
func buildContext(binary []byte) io.Reader {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range []struct {
		name    string
		mode    int64
		content []byte
	}{{"Dockerfile", 0o644, []byte(dockerfile)}, {"rgate", 0o755, binary}} {
		// Writes to memory do not fail.
		_ = w.WriteHeader(&tar.Header{Name: f.name, Mode: f.mode, Size: int64(len(f.content))})
		_, _ = w.Write(f.content)
	}
	_ = w.Close()
	return &b
}

// buildFailure reads a build's messages to their end, which is when it is done.
func buildFailure(messages io.Reader) error {
	decoder := json.NewDecoder(messages)
	for {
		var message struct{ Error string }
		switch err := decoder.Decode(&message); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case message.Error != "":
			return errors.New(message.Error)
		}
	}
}
