//go:build linux

package main

import (
	"fmt"
	"strconv"
	"time"
)

// attack is one way to be a bad client.
type attack struct {
	name, title string
	tool        string // of Debian; "" for this program itself
	// argv are the command lines of the attackers, without the program's name.
	argv func(address string, last time.Duration) [][]string
	// bound is how many MB rgate may grow by.
	bound int
	// secure says that HTTPS is attacked, and that half of the well-behaved use it.
	secure bool
	// descriptors is how many rgate may have; 0 for as many as it gets.
	descriptors int
}

// Places in the origin that attackers like.
const (
	echoPath = "/echo/attack"
	bigPath  = "/big/1"
	hugePath = "/big/8"
)

const (
	slowClients  = "1000"
	idleCrowds   = 5
	idlePerCrowd = 10_000
	slowPerCrowd = 2500 // a quarter more than one address may hold
	bodyPerCrowd = 700  // the origin has a connection for each
	fewPerCrowd  = 500
	stuckClients = 500
)

func allAttacks() []attack { return append(plainAttacks(), secureAttacks()...) }

func plainAttacks() []attack {
	return []attack{
		slow("slow-headers", "1000 slow heads (slowhttptest -H)", echoPath, "-H", "-i", "2", "-x", "24"),
		slow("slow-body", "1000 slow bodies (slowhttptest -B)", echoPath, "-B", "-i", "2", "-s", "8192"),
		slow("range", "1000 × thousands of ranges (slowhttptest -R)", bigPath, "-R", "-a", "5", "-b", "3000"),
		slow("slow-read", "1000 slow readers of 1 MB (slowhttptest -X)", bigPath, "-X", "-w", "10", "-y", "20", "-n", "2", "-z", "32"),
		{
			name: "idle", title: "50,000 idle connections from 5 addresses", bound: 256,
			argv: func(address string, last time.Duration) [][]string { return idle(address, last, 1) },
		},
		{
			name: "full", title: "50,000 idle connections from 25 addresses", bound: 512,
			argv: func(address string, last time.Duration) [][]string { return idle(address, last, 5) },
		},
		holding("heads", "12,500 halves of a head from 5 addresses", slowPerCrowd, 0, "heads"),
		holding("bodies", "3500 halves of a body, 4096 descriptors", bodyPerCrowd, 4096, "bodies"),
		holding("page", "12,500 that asked for /stats from 5 addresses", slowPerCrowd, 0, "page"),
		holding("few", "2500 of these three kinds, 512 descriptors", fewPerCrowd, 512, "heads", "bodies", "page"),
		{
			name: "flood", title: "connect and close without end", bound: 64,
			argv: func(address string, last time.Duration) [][]string {
				return [][]string{crowd{kind: "flood", address: address, last: last, first: 2, sources: 8}.argv()}
			},
		},
		{
			name: "unread", title: "500 clients that never read 8 MB", bound: 256,
			argv: func(address string, last time.Duration) [][]string {
				return [][]string{crowd{kind: "unread", address: address, last: last, first: 2, sources: 1, n: stuckClients}.argv()}
			},
		},
	}
}

// slow is one of the modes of slowhttptest.
func slow(name, title, path string, mode ...string) attack {
	return attack{name: name, title: title, tool: "slowhttptest", bound: 128,
		argv: func(address string, last time.Duration) [][]string {
			seconds := strconv.Itoa(max(int(last.Seconds()), 1))
			argv := []string{"-c", slowClients, "-r", "500", "-l", seconds, "-p", "3", "-v", "0", "-u", "http://" + address + path}
			return [][]string{append(argv, mode...)}
		},
	}
}

// holding has an address each fill the room with n clients of kinds in turn.
func holding(name, title string, n, descriptors int, kinds ...string) attack {
	return attack{name: name, title: title, bound: 640, descriptors: descriptors,
		argv: func(address string, last time.Duration) [][]string {
			var all [][]string
			for i := range idleCrowds {
				c := crowd{kind: kinds[i%len(kinds)], address: address, last: last, first: 2 + i, sources: 1, n: n}
				all = append(all, c.argv())
			}
			return all
		},
	}
}

// idle is several processes, as no one may have so many descriptors.
func idle(address string, last time.Duration, sources int) [][]string {
	var all [][]string
	for i := range idleCrowds {
		c := crowd{kind: "idle", address: address, last: last, first: 2 + i*sources, sources: sources, n: idlePerCrowd}
		all = append(all, c.argv())
	}
	return all
}

// tools are those of Debian that the attacks need.
func tools(list []attack) []string {
	for _, a := range list {
		if a.tool != "" {
			return []string{a.tool}
		}
	}
	return nil
}

// source is the nth loopback address.
func source(n int) string { return fmt.Sprintf("127.0.0.%d", n) }
