// Package packaging proves what the repository ships beside the binary: the
// Dockerfile, compose.yml and the files in packaging/. It holds tests alone.
package packaging
