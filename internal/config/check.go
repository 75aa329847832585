package config

import (
	"mime"
	"strings"
	"unicode"
)

// hasControl tells whether text would break a log line or a header.
func hasControl(text string) bool { return strings.ContainsFunc(text, unicode.IsControl) }

// emptyOr lets an empty text pass, which turns something off.
func emptyOr(c check) check {
	return func(text string) (string, string) {
		if text == "" {
			return "", ""
		}
		return c(text)
	}
}

// checkName is for what other keys, logs and statistics call a thing by.
func checkName(name string) (message, hint string) {
	switch {
	case name == "":
		return "a backend's name cannot be empty", "such as `orders`"
	case hasControl(name):
		return "a backend's name is one line of text", ""
	case strings.TrimSpace(name) != name:
		return "a backend's name cannot begin or end with a space", "write " + shown(strings.TrimSpace(name))
	}
	return "", ""
}

// checkToken is for the names of headers and cookies.
func checkToken(what string) check {
	return func(name string) (message, hint string) {
		if name == "" {
			return what + " cannot be empty", ""
		}
		for _, r := range name {
			if r <= ' ' || r >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r) {
				return what + " cannot hold `" + string(r) + "`", "letters, digits and any of !#$%&'*+-.^_|~"
			}
		}
		return "", ""
	}
}

// checkSecret never repeats what it looks at.
func checkSecret(secret string) (message, hint string) {
	const shortest = 16
	if secret != "" && len(secret) < shortest {
		return "the secret is too short to sign with", "at least 16 characters, such as those of `openssl rand -hex 32`"
	}
	return "", ""
}

func checkContentType(value string) (message, hint string) {
	const example = "such as `text/plain; charset=utf-8` or `application/json`"
	kind, _, err := mime.ParseMediaType(value)
	if err != nil || hasControl(value) || !strings.Contains(kind, "/") {
		return shown(value) + " is not a content type", example
	}
	return "", ""
}

// checkServedPath is for a path that is asked for as it stands; empty is off.
func checkServedPath(path string) (message, hint string) {
	switch {
	case path == "":
		return "", ""
	case !strings.HasPrefix(path, "/"):
		return "a path begins with `/`", "write " + shown("/"+path)
	case strings.ContainsFunc(path, func(r rune) bool { return r <= ' ' || r >= 0x7f }):
		return "a path has no spaces, and no characters but ASCII", "percent-encode them, such as `%20`"
	case strings.ContainsRune(path, '#'):
		return "a path ends before `#`", "write " + shown(path[:strings.IndexByte(path, '#')])
	}
	return "", ""
}

func checkSocket(path string) (message, hint string) {
	const longest = 107 // what the kernel takes, less the closing NUL
	if len(path) > longest {
		return "the path of a Unix socket has at most 107 bytes", "choose a directory that is nearer to the root"
	}
	if hasControl(path) {
		return "the path of a socket is one line of text", ""
	}
	return "", ""
}
