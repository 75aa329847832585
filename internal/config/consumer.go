package config

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Consumer is somebody whom policies can tell from others.
type Consumer struct {
	Name string
	Keys []KeyHash // of keys, each of which is this consumer's alone
	Tags []string  // that it shares with others
	Line int       // where it begins in the file, from 1
}

// KeyHash is the SHA-256 of a key: the file does not tell keys.
type KeyHash [sha256.Size]byte

// maxConsumers bounds what a file makes of consumers.
const maxConsumers = 100_000

// consumerDraft is a Consumer with the nodes that checks point at.
type consumerDraft struct {
	Consumer
	name *yaml.Node
	keys []keyPlace
}

// keyPlace is a key's hash and where it stands.
type keyPlace struct {
	hash KeyHash
	node *yaml.Node
}

var consumerKeys = []key[consumerDraft]{
	marked("name", text(checkConsumerName), func(c *consumerDraft) (*string, **yaml.Node) { return &c.Name, &c.name }),
	{name: "keys", below: namesOf(fileKeys), read: readKeyHashes},
	distinct("tags", func(d *decoder, s scalar) (string, bool) { return text(checkConsumerName)(d, s) }, func(c *consumerDraft) *[]string { return &c.Tags }),
}

func readConsumers(d *decoder, n *yaml.Node, into *draft) {
	for i, item := range d.items(n, "consumers") {
		if i == maxConsumers {
			d.problem(item, "consumers that are alike can share one, with several keys", "there are more than %d consumers", maxConsumers)
			return
		}
		c := consumerDraft{Consumer: Consumer{Line: item.Line}}
		since := d.unknown
		present := mapping(d, item, "a consumer", consumerKeys, &c)
		if _, ok := present["name"]; !ok {
			d.missing(item, since, "`name` of this consumer", "such as `name: shop`; endpoints are told it")
		}
		into.consumers = append(into.consumers, c)
	}
}

// checkConsumerName is for what goes into a header, one of several between commas.
func checkConsumerName(name string) (message, hint string) {
	const right = "letters, digits and any of -._~@:/+"
	if name == "" {
		return "the name of a consumer or a tag cannot be empty", right
	}
	for _, r := range name {
		if !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("-._~@:/+", r)) {
			return "the name of a consumer or a tag, which goes into a header, cannot hold `" + string(r) + "`", right
		}
	}
	return "", ""
}

const keyHashPrefix = "sha256:"

// parseKeyHash reads the hash of a key, or says what is wrong with it, without
// repeating what may be a key.
func parseKeyHash(text string) (hash KeyHash, message, hint string) {
	const right = "`rgate key new` makes a key and prints its hash, such as `sha256:9f86d0…`, which has 64 digits after the colon"
	digits, ok := strings.CutPrefix(text, keyHashPrefix)
	if !ok {
		return hash, "this is not the hash of a key, and may be a key, which must not stand in a file", right
	}
	b, err := hex.DecodeString(digits)
	if err != nil || len(b) != len(hash) {
		return hash, "this is not the SHA-256 of a key", right
	}
	return KeyHash(b), "", ""
}

// readKeyHashes reads a list of hashes, and of files with one on each line.
func readKeyHashes(d *decoder, n *yaml.Node, c *consumerDraft) {
	for _, item := range d.items(n, "keys") {
		if item.Kind == yaml.MappingNode {
			lines, node := readFile(d, item, "keys")
			for _, l := range lines {
				if hash, message, hint := parseKeyHash(l.text); message != "" {
					d.problem(node, hint, "line %d of %s: %s", l.number, shown(l.path), message)
				} else {
					c.keys = append(c.keys, keyPlace{hash, node})
				}
			}
			continue
		}
		s, ok := d.scalar("keys", item)
		if !ok {
			continue
		}
		if hash, message, hint := parseKeyHash(s.text); message != "" {
			d.problem(s.node, hint, "%s", message)
		} else {
			c.keys = append(c.keys, keyPlace{hash, s.node})
		}
	}
}

// resolveConsumers checks consumers against each other.
func (c *draft) resolveConsumers(d *decoder) {
	names, owners := map[string]int{}, map[KeyHash]string{}
	c.known = map[string]bool{}
	for _, one := range c.consumers {
		if one.name == nil {
			continue // already reported
		}
		if line, twice := names[one.Name]; twice {
			d.problem(one.name, "give one of them another name, or put them together", "consumer %s is there twice, first on line %d", shown(one.Name), line)
			continue
		}
		names[one.Name] = one.Line
		for _, k := range one.keys {
			if owner, twice := owners[k.hash]; twice {
				d.problem(k.node, "make a key for each: `rgate key new`", "this key is that of consumer %s already", shown(owner))
				continue
			}
			owners[k.hash] = one.Name
			one.Keys = append(one.Keys, k.hash)
		}
		for _, called := range append([]string{one.Name}, one.Tags...) {
			if !c.known[called] {
				c.known[called] = true
				c.knownNames = append(c.knownNames, called)
			}
		}
		c.Consumers = append(c.Consumers, one.Consumer)
	}
	for _, item := range c.defaults {
		c.who = append(c.who, item.who...)
	}
	for i := range c.routes {
		for _, item := range c.routes[i].own {
			c.who = append(c.who, item.who...)
		}
	}
	for _, who := range c.who {
		if !c.known[who.name] {
			hint := "add it under `consumers:`"
			if near := d.guess(who.name, c.knownNames); near != "" {
				hint = "did you mean `" + near + "`?"
			}
			d.problem(who.node, hint, "no consumer is named %s or has that tag", shown(who.name))
		}
	}
}
