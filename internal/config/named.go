package config

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/netip"
	"os"
	"slices"
	"strings"
	"syscall"

	"go.yaml.in/yaml/v4"
)

// A configuration may name further files, which hold lists that others write:
// networks, keys, users. They are part of it: they are read with it, a mistake in
// one is a mistake of the configuration, and where one changes all is read again.

// What a configuration may name.
const (
	maxNamed      = 100
	maxNamedBytes = 8 << 20 // each
)

// Text is what a file says, with the files that it names.
type Text struct {
	Main  []byte
	Named map[string]Named // by path
	sum   *Sum             // nil where nobody has asked for it yet
}

// Named is a file that a configuration names, as it was read.
type Named struct {
	Data []byte
	Err  error // why it could not be
}

// Sum tells one content of a file, and of those that it names, from another.
type Sum [sha256.Size]byte

// Sum is that of t.
func (t Text) Sum() Sum {
	if t.sum != nil {
		return *t.sum
	}
	h := sha256.New()
	h.Write(t.Main)
	for _, path := range slices.Sorted(maps.Keys(t.Named)) {
		n := t.Named[path]
		fmt.Fprintf(h, "\x00%q %d %v\x00", path, len(n.Data), n.Err)
		h.Write(n.Data)
	}
	return Sum(h.Sum(nil))
}

// Parse is the function of that name, without reading anything more.
func (t Text) Parse(file string, env func(string) (string, bool)) (*Config, error) {
	d := newDecoder(file, t.Main, env)
	d.open = func(path string) Named {
		n, ok := t.Named[path]
		if !ok {
			n.Err = errors.New("it was not named a moment ago")
		}
		return n
	}
	return d.decode(t.Main)
}

// gather reads what a file names.
func gather(file string, data []byte, env func(string) (string, bool)) Text {
	if !bytes.Contains(data, []byte("file")) {
		return Text{Main: data} // no key for one has another name
	}
	d := newDecoder(file, data, env)
	_, _ = d.decode(data) // what is wrong is told by who puts it in place
	return Text{Main: data, Named: d.named}
}

// openNamed reads a file that is named.
func openNamed(path string) Named {
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // else opening a pipe waits
	if err != nil {
		return Named{Err: cause(err)}
	}
	defer file.Close()
	switch info, err := file.Stat(); {
	case err != nil:
		return Named{Err: cause(err)}
	case !info.Mode().IsRegular():
		return Named{Err: errors.New("it is no regular file")}
	}
	data, err := io.ReadAll(io.LimitReader(file, maxNamedBytes+1))
	switch {
	case err != nil:
		return Named{Err: cause(err)}
	case len(data) > maxNamedBytes:
		return Named{Err: fmt.Errorf("it is larger than %d MB", maxNamedBytes>>20)}
	}
	return Named{Data: data}
}

// cause is err without the path, which is named anyway.
func cause(err error) error {
	var of *fs.PathError
	if errors.As(err, &of) {
		return of.Err
	}
	return err
}

// contents are the lines of a file that node names, without comments and empty
// ones; false where it cannot be read.
func (d *decoder) contents(n *yaml.Node, name string) (lines []namedLine, ok bool) {
	path := d.path(name)
	named, known := d.named[path]
	if !known {
		if len(d.named) == maxNamed {
			d.problem(n, "put some of them together", "more than %d files are named", maxNamed)
			return nil, false
		}
		named = d.open(path)
		d.named[path] = named
	}
	if named.Err != nil {
		d.problem(n, "a path that does not begin with / is beside this file", "cannot read %s: %v", shown(name), named.Err)
		return nil, false
	}
	number := 0
	for text := range strings.Lines(string(named.Data)) {
		number++
		text, _, _ = strings.Cut(text, "#")
		if text = strings.TrimSpace(text); text != "" {
			lines = append(lines, namedLine{name, text, number})
		}
	}
	return lines, true
}

// namedLine is a line of a file that is named.
type namedLine struct {
	path, text string
	number     int
}

// fileKeys are those of an item that names a file.
var fileKeys = []key[namedFile]{
	marked("file", text(checkPath), func(f *namedFile) (*string, **yaml.Node) { return &f.path, &f.node }),
}

type namedFile struct {
	path string
	node *yaml.Node
}

// readFile reads such an item of a list.
func readFile(d *decoder, n *yaml.Node, list string) ([]namedLine, *yaml.Node) {
	if !slices.ContainsFunc(n.Content, func(key *yaml.Node) bool { return key.Value == "file" }) {
		what, hint := "an address, a network or a file", "an IPv6 address is written in quotes, and a file as `{file: networks.txt}`"
		if list == "keys" {
			what, hint = "the hash of a key or a file", "write a file as `{file: shop.keys}`"
		}
		d.problem(n, hint, "an item of `%s` is %s, not a mapping", list, what)
		return nil, nil
	}
	var f namedFile
	mapping(d, n, "an item", fileKeys, &f)
	if f.node == nil {
		return nil, nil
	}
	lines, _ := d.contents(f.node, f.path)
	return lines, f.node
}

// readNetworks reads a list of networks, and of files with one on each line.
func readNetworks(d *decoder, n *yaml.Node, name string) []netip.Prefix {
	var all []netip.Prefix
	for _, item := range d.items(n, name) {
		if item.Kind == yaml.MappingNode {
			lines, node := readFile(d, item, name)
			for _, l := range lines {
				network, message, hint := parseNetwork(l.text)
				if message != "" {
					d.problem(node, hint, "line %d of %s: %s", l.number, shown(l.path), message)
					continue
				}
				all = append(all, network)
			}
			continue
		}
		if s, ok := d.scalar(name, item); ok {
			if network, ok := readNetwork(d, s); ok {
				all = append(all, network)
			}
		}
	}
	return all
}
