package config

import "go.yaml.in/yaml/v4"

// maxAliasNodes is how many nodes aliases may add to those written out. A
// handful of nested anchors can otherwise stand for billions.
const maxAliasNodes = 100_000

// boundAliases refuses files whose aliases run in circles or multiply.
func (d *decoder) boundAliases(root *yaml.Node) bool {
	c := aliasCounter{d: d, added: map[*yaml.Node]int{}, open: map[*yaml.Node]bool{}}
	c.count(root)
	return !c.refused
}

type aliasCounter struct {
	d       *decoder
	added   map[*yaml.Node]int  // nodes that aliases add below an anchor, and its own
	open    map[*yaml.Node]bool // anchors whose content is being counted
	refused bool
}

// count is the number of nodes n stands for, of which aliases may add only
// so many. It sees each node once.
func (c *aliasCounter) count(n *yaml.Node) int {
	if c.refused {
		return 0
	}
	if n.Kind == yaml.AliasNode {
		return c.alias(n)
	}
	if size, ok := c.added[n]; ok {
		return size
	}
	c.open[n] = true
	size := 1
	for _, child := range n.Content {
		size += c.count(child)
	}
	delete(c.open, n)
	if n.Anchor != "" {
		c.added[n] = size
	}
	return size
}

func (c *aliasCounter) alias(n *yaml.Node) int {
	if c.open[n.Alias] {
		c.refuse(n, "anchor "+shown(n.Value)+" contains itself", "an alias can only stand for what is complete above it")
		return 0
	}
	size := c.count(n.Alias)
	c.added[nil] += size // nil is no node: the sum of all
	if c.added[nil] > maxAliasNodes || size > maxAliasNodes {
		c.refuse(n, "aliases make this file grow beyond all bounds", "write the values out, or nest fewer anchors")
	}
	return size
}

func (c *aliasCounter) refuse(n *yaml.Node, message, hint string) {
	if !c.refused {
		c.d.report(n.Line, n.Column, len(n.Value)+1, message, hint)
	}
	c.refused = true
}
