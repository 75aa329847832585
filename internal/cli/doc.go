// Package cli is rgate's command line: flags in, one call, text out.
package cli
