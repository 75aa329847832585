// Package policy holds what routes demand of requests before these go anywhere,
// one file for each policy, and the words that policies speak: what they see of a
// request, and what they say. Policies are compiled once per table, and asked by
// package proxy, whichever engine moves the bytes.
//
// To add one: its keys in package config, a file here that implements Policy, and
// a line in compile.
package policy
