package enginetest

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/events"
)

// Fake is an engine that speaks the API over a Unix socket and has the
// containers and the faults that a test gives it.
type Fake struct {
	Host string // unix:///…

	path   string
	t      T
	server *http.Server
	served chan struct{} // closed when server has ended

	mu         sync.Mutex
	containers map[string]FakeContainer
	history    []events.Message
	streams    map[chan events.Message]bool
	faults     Faults
	requests   []string
	changed    chan struct{} // closed and replaced when faults change
}

// Faults are what goes wrong. The zero value is a good engine.
type Faults struct {
	Status       int               // every answer has this status
	TruncateList bool              // lists end in the middle
	HangList     bool              // lists are not answered
	HangEvents   bool              // the event stream is not opened
	HangVersion  bool              // the version is not told
	MuteEvents   bool              // the event stream is open but tells nothing
	MinAPI       string            // "" for 1.24
	MaxAPI       string            // "" for 1.41
	Garbage      map[string]string // bodies by the end of a path, with status 200
	NoInspect    int               // status of every inspect answer; 0 for good ones
	HangInspect  string            // containers with names that begin so are not inspected; "" for none
	SlowInspect  time.Duration     // how long an inspect answer takes
}

// NewFake starts a fake engine that ends with the test.
func NewFake(t T) *Fake {
	t.Helper()
	dir, err := os.MkdirTemp("", "rgf") // t.TempDir may be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "docker.sock")
	f := &Fake{
		Host: "unix://" + path, path: path, t: t, containers: map[string]FakeContainer{},
		streams: map[chan events.Message]bool{}, changed: make(chan struct{}),
	}
	t.Cleanup(func() {
		f.Down()
		_ = os.RemoveAll(dir)
	})
	f.Up()
	return f
}

// Up makes it listen on a new socket.
func (f *Fake) Up() {
	f.t.Helper()
	l, err := net.Listen("unix", f.path)
	if err != nil {
		f.t.Fatal(err)
	}
	f.server, f.served = &http.Server{Handler: f}, make(chan struct{})
	go func(s *http.Server, served chan struct{}) {
		defer close(served)
		_ = s.Serve(l)
	}(f.server, f.served)
}

// Down cuts all connections and removes the socket.
func (f *Fake) Down() {
	_ = f.server.Close()
	<-f.served // whose end closes the listener in any case
}

// SetFaults replaces the faults. Answers that hang go on when theirs is gone.
func (f *Fake) SetFaults(faults Faults) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.faults = faults
	close(f.changed)
	f.changed = make(chan struct{})
}

// Requests are the requests so far, as "GET /v1.41/containers/json".
func (f *Fake) Requests() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.requests)
}

// Forget drops the requests so far, so that a long test can measure memory.
func (f *Fake) Forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.requests = nil
}

// Lists is the number of list requests so far.
func (f *Fake) Lists() int {
	n := 0
	for _, r := range f.Requests() {
		if strings.HasSuffix(r, "/containers/json") {
			n++
		}
	}
	return n
}

// CloseStreams ends the open event streams.
func (f *Fake) CloseStreams() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for stream := range f.streams {
		close(stream)
		delete(f.streams, stream)
	}
}

// ServeHTTP answers a request.
func (f *Fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	f.requests = append(f.requests, r.Method+" "+r.URL.Path)
	faults := f.faults
	f.mu.Unlock()
	if faults.Status != 0 {
		refuse(w, faults.Status, "broken as told")
		return
	}
	version, path := splitVersion(r.URL.Path)
	least, most := orElse(faults.MinAPI, "1.24"), orElse(faults.MaxAPI, "1.41")
	if version != "" && (minor(version) < minor(least) || minor(version) > minor(most)) {
		refuse(w, http.StatusBadRequest, fmt.Sprintf("client version %s is not supported: this engine speaks %s to %s", version, least, most))
		return
	}
	for end, body := range faults.Garbage {
		if strings.HasSuffix(path, end) {
			_, _ = io.WriteString(w, body)
			return
		}
	}
	switch {
	case r.Method != http.MethodGet:
		refuse(w, http.StatusForbidden, "only GET is allowed")
	case path == "/version":
		if faults.HangVersion {
			f.hang(r)
		}
		answer(w, map[string]string{"Version": "fake", "ApiVersion": most, "MinAPIVersion": least})
	case path == "/info":
		answer(w, map[string]any{"OperatingSystem": "Fake", "SecurityOptions": []string{}})
	case path == "/events":
		f.stream(w, r, faults)
	case path == "/containers/json":
		f.list(w, r, faults)
	case strings.HasPrefix(path, "/containers/") && strings.HasSuffix(path, "/json"):
		f.inspect(w, r, strings.TrimSuffix(strings.TrimPrefix(path, "/containers/"), "/json"), faults)
	default:
		refuse(w, http.StatusNotFound, "page not found")
	}
}

// hang holds an answer until the faults change or the client goes.
func (f *Fake) hang(r *http.Request) {
	f.mu.Lock()
	changed := f.changed
	f.mu.Unlock()
	select {
	case <-changed:
	case <-r.Context().Done():
	}
}

func (f *Fake) list(w http.ResponseWriter, r *http.Request, faults Faults) {
	if faults.HangList {
		f.hang(r)
	}
	var filters struct{ Label map[string]bool }
	if text := r.URL.Query().Get("filters"); text != "" {
		if err := json.Unmarshal([]byte(text), &filters); err != nil {
			refuse(w, http.StatusBadRequest, err.Error())
			return
		}
	}
	items := []container.Summary{}
	f.mu.Lock()
	for _, c := range f.containers {
		if c.selected(filters.Label) && (c.up() || r.URL.Query().Get("all") == "1") {
			items = append(items, c.summary())
		}
	}
	f.mu.Unlock()
	text, _ := json.Marshal(items)
	if faults.TruncateList {
		text = text[:len(text)/2]
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(text)
}

func (f *Fake) inspect(w http.ResponseWriter, r *http.Request, id string, faults Faults) {
	if faults.NoInspect != 0 {
		refuse(w, faults.NoInspect, "no inspecting, as told")
		return
	}
	c, ok := f.find(id)
	if !ok {
		refuse(w, http.StatusNotFound, "No such container: "+id)
		return
	}
	if faults.HangInspect != "" && strings.HasPrefix(c.Name, faults.HangInspect) {
		f.hang(r)
		c, _ = f.find(id)
	}
	time.Sleep(faults.SlowInspect)
	c = f.settle(c)
	answer(w, c.inspect())
}

// settle has lists show the networks that a container joined.
func (f *Fake) settle(c FakeContainer) FakeContainer {
	if len(c.Joined) == 0 {
		return c
	}
	f.change(c.ID, func(c *FakeContainer) {
		networks := maps.Clone(c.Networks)
		if networks == nil {
			networks = map[string]string{}
		}
		maps.Copy(networks, c.Joined)
		c.Networks, c.Joined = networks, nil
	})
	c, _ = f.find(c.ID)
	return c
}

func (f *Fake) find(id string) (FakeContainer, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.containers {
		if c.ID == id || c.Name == id {
			return c, true
		}
	}
	return FakeContainer{}, false
}

// stream tells events as they come, after those since the time asked for.
func (f *Fake) stream(w http.ResponseWriter, r *http.Request, faults Faults) {
	if faults.HangEvents {
		f.hang(r)
		return
	}
	stream := make(chan events.Message, 10000)
	f.mu.Lock()
	if since := sinceNano(r.URL.Query().Get("since")); since != 0 {
		for _, e := range f.history {
			if e.TimeNano >= since {
				stream <- e
			}
		}
	}
	f.streams[stream] = true
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		delete(f.streams, stream)
		f.mu.Unlock()
	}()
	w.Header().Set("Content-Type", "application/json")
	out := http.NewResponseController(w)
	_ = out.Flush()
	for {
		select {
		case e, open := <-stream:
			if !open {
				return
			}
			if faults.MuteEvents {
				continue
			}
			_ = json.NewEncoder(w).Encode(e)
			_ = out.Flush()
		case <-r.Context().Done():
			return
		}
	}
}

func sinceNano(text string) int64 {
	seconds, nanos, _ := strings.Cut(text, ".")
	s, _ := strconv.ParseInt(seconds, 10, 64)
	n, _ := strconv.ParseInt(nanos, 10, 64)
	return s*int64(time.Second) + n
}

func splitVersion(path string) (version, rest string) {
	if after, ok := strings.CutPrefix(path, "/v1."); ok {
		number, rest, _ := strings.Cut(after, "/")
		return "1." + number, "/" + rest
	}
	return "", path
}

func minor(version string) int {
	_, text, _ := strings.Cut(version, ".")
	n, _ := strconv.Atoi(text)
	return n
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

func answer(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(body)
}

func refuse(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"message": message})
}
