//go:build !unix

package cli

func outliveReaders() (stop func()) { return func() {} }
