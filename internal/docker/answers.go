package docker

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"unicode/utf8"
)

// The client decodes whatever it gets: null becomes an empty list, and an
// object without an id a container without one. What an engine or a proxy
// before it answers decides where requests go, so it is looked at first, and
// what is no answer counts as none.

// mostAnswer bounds an answer. A list of 10,000 containers has about 30 MB.
const mostAnswer = 128 << 20

// errNonsense is what a good status came with that is no answer.
var errNonsense = errors.New("the engine's answer makes no sense")

// checked lets answers through that are whole and of the kind that was asked
// for. The event stream is looked at as it is heard.
type checked struct{ next http.RoundTripper }

func (c checked) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := c.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode == http.StatusOK && strings.HasSuffix(req.URL.Path, "/events") {
		resp.Body = &eventLines{ReadCloser: resp.Body}
		return resp, nil
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, mostAnswer+1))
	_ = resp.Body.Close()
	switch {
	case err != nil:
		return nil, fmt.Errorf("cannot read the engine's answer to %s: %w", req.URL.Path, err)
	case len(body) > mostAnswer:
		return nil, fmt.Errorf("%w: that to %s is longer than %d bytes", errNonsense, req.URL.Path, mostAnswer)
	}
	if resp.StatusCode/100 == 2 {
		if err := sensible(req.URL.Path, body); err != nil {
			return nil, fmt.Errorf("%w: %s says %q: %w", errNonsense, req.URL.Path, excerpt(string(body), 60), err)
		}
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

// eventLines ends a stream whose events are too long.
type eventLines struct {
	io.ReadCloser
	length int // of the event so far
}

// mostEvent bounds an event: its attributes are a container's labels.
const mostEvent = 4 << 20

func (e *eventLines) Read(p []byte) (int, error) {
	n, err := e.ReadCloser.Read(p)
	if at := bytes.LastIndexByte(p[:n], '\n'); at >= 0 {
		e.length = n - at
	} else {
		e.length += n
	}
	if e.length > mostEvent {
		return 0, fmt.Errorf("%w: an event is longer than %d bytes", errNonsense, mostEvent)
	}
	return n, err
}

// garbled tells whether a stream ended by what it said.
func garbled(err error) bool {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	return errors.Is(err, errNonsense) || errors.As(err, &syntax) || errors.As(err, &kind)
}

// identified is what every answer about a container has.
type identified struct {
	ID    string `json:"Id"`
	State json.RawMessage
}

func (i identified) check() error {
	if i.ID == "" || len(i.State) == 0 || string(i.State) == "null" {
		return errors.New("a container without id or state")
	}
	return nil
}

// sensible tells what is wrong with the body of a good answer.
func sensible(path string, body []byte) error {
	switch {
	case strings.HasSuffix(path, "/containers/json"):
		var list []identified
		if err := json.Unmarshal(body, &list); err != nil {
			return err
		}
		if list == nil {
			return errors.New("not a list")
		}
		for _, c := range list {
			if err := c.check(); err != nil {
				return err
			}
		}
	case strings.HasSuffix(path, "/info"):
		var info struct{ OperatingSystem *string }
		if err := json.Unmarshal(body, &info); err != nil {
			return err
		}
		if info.OperatingSystem == nil {
			return errors.New("it names no operating system")
		}
	case strings.Contains(path, "/containers/"):
		var one identified
		if err := json.Unmarshal(body, &one); err != nil {
			return err
		}
		return one.check()
	}
	return nil
}

// excerpt bounds what others say.
func excerpt(text string, most int) string {
	if len(text) <= most {
		return text
	}
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most] + "…"
}
