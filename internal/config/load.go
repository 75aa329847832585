package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// maxFileBytes bounds a file before anything looks into it. Ten thousand
// routes take about half of it.
const maxFileBytes = 1 << 20

// Load reads and parses the file. env looks up what ${VAR} stands for; nil
// for no variables. A file that is wrong gives a *Problems; one that cannot be
// read gives an error that names the path and the way out.
func Load(path string, env func(string) (string, bool)) (*Config, error) {
	data, err := Read(path)
	if err != nil {
		return nil, err
	}
	return gather(path, data, env).Parse(path, env)
}

// Read gives the bytes of a file, unless there are too many. It may be a pipe,
// and then waits for whoever writes.
func Read(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, unreadable(path, err)
	}
	defer file.Close()
	return readAll(path, file)
}

// readRegular is Read where what is no regular file is refused: a pipe gives its
// text once, and may never end.
func readRegular(path string) ([]byte, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // else opening a pipe waits
	if err != nil {
		return nil, unreadable(path, err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, unreadable(path, err)
	}
	if !info.Mode().IsRegular() {
		return nil, irregular(path, info.Mode())
	}
	return readAll(path, file)
}

// irregular says what is at path instead of a file.
func irregular(path string, mode fs.FileMode) error {
	what := "a device"
	switch {
	case mode.IsDir():
		return fmt.Errorf("cannot read %s: it is a directory: name the file in it with --config", path)
	case mode&fs.ModeNamedPipe != 0:
		what = "a pipe"
	case mode&fs.ModeSocket != 0:
		what = "a socket"
	}
	return fmt.Errorf("cannot read %s again: it is %s, and a running gateway reads regular files only", path, what)
}

func readAll(path string, file *os.File) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(file, maxFileBytes+1))
	if err != nil {
		return nil, unreadable(path, err)
	}
	if len(data) > maxFileBytes {
		return nil, fmt.Errorf("cannot use %s: it is larger than %d KB, which no configuration needs", path, maxFileBytes>>10)
	}
	return data, nil
}

func unreadable(path string, err error) error {
	var cause *fs.PathError
	if errors.As(err, &cause) {
		err = cause.Err // the path is named once
	}
	switch {
	case path == "":
		return errors.New("cannot read the configuration: no file is named (name one with --config)")
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s not found: name one with --config: %w", path, err)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("cannot read %s: %w: let the user that rgate runs as read it", path, err)
	}
	if info, statErr := os.Stat(path); statErr == nil && info.IsDir() {
		return irregular(path, info.Mode())
	}
	return fmt.Errorf("cannot read %s: %w", path, err)
}

// Parse turns the bytes of a file into a Config. file is only used to say
// where problems are, and which files those are that it names. The error is a
// *Problems with all of them.
func Parse(file string, data []byte, env func(string) (string, bool)) (*Config, error) {
	return newDecoder(file, data, env).decode(data)
}

// Listeners are those of a file that could be read, whatever else is wrong with
// it: certificates can be looked at all the same.
func Listeners(file string, data []byte, env func(string) (string, bool)) []Listener {
	cfg, _ := newDecoder(file, data, env).decodeAll(data)
	return cfg.Listeners
}

func (d *decoder) decode(data []byte) (*Config, error) {
	cfg, err := d.decodeAll(data)
	if err != nil {
		return nil, err
	}
	return cfg, nil
}

// decodeAll is decode, and gives what could be read where there are problems.
func (d *decoder) decodeAll(data []byte) (*Config, error) {
	draft := draft{Config: *Default()}
	if root := d.parse(data); root != nil {
		mapping(d, root, "the file", topKeys, &draft)
		draft.resolve(d)
	}
	draft.File, draft.Sum = d.file, Text{Main: data, Named: d.named}.Sum()
	return &draft.Config, d.failure()
}
