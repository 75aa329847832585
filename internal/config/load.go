package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
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
	return Parse(path, data, env)
}

// Read gives the bytes of a file, unless there are too many.
func Read(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, unreadable(path, err)
	}
	defer file.Close()
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
		return fmt.Errorf("cannot read %s: it is a directory: name the file in it with --config", path)
	}
	return fmt.Errorf("cannot read %s: %w", path, err)
}

// Parse turns the bytes of a file into a Config. file is only used to say
// where problems are. The error is a *Problems with all of them.
func Parse(file string, data []byte, env func(string) (string, bool)) (*Config, error) {
	d := newDecoder(file, data, env)
	draft := draft{Config: *Default()}
	if root := d.parse(data); root != nil {
		mapping(d, root, "the file", topKeys, &draft)
		draft.resolve(d)
	}
	if err := d.failure(); err != nil {
		return nil, err
	}
	draft.File = file
	return &draft.Config, nil
}
