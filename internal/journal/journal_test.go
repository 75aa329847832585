package journal

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"rgate/internal/rig/ends"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func pipe(t *testing.T) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = r.Close(), w.Close() })
	return r, w
}

func TestRecordsComeThroughInOrder(t *testing.T) {
	r, w := pipe(t)
	j := Open(w, func(Missing) []byte { t.Error("something is missing"); return nil })
	const records = 5000
	var got []string
	var reader sync.WaitGroup
	reader.Go(func() {
		for lines := bufio.NewScanner(r); lines.Scan(); {
			got = append(got, lines.Text())
		}
	})
	long := strings.Repeat("x", 10_000)
	for i := range records {
		if i == records/2 {
			fmt.Fprintln(j, long)
		}
		fmt.Fprintln(j, i)
	}
	j.Close()
	_ = w.Close()
	reader.Wait()
	if len(got) != records+1 || got[0] != "0" || got[records/2] != long || got[records] != fmt.Sprint(records-1) {
		t.Errorf("%d records came through", len(got))
	}
	if m := j.Missing(); m != (Missing{}) {
		t.Errorf("missing %+v", m)
	}
}

// A reader that has stopped costs records, not time; when it reads on it
// learns how many.
func TestAStalledReader(t *testing.T) {
	r, w := pipe(t)
	j := Open(w, func(since Missing) []byte { return fmt.Appendf(nil, "%d records were dropped\n", since.Dropped) })
	line := []byte(strings.Repeat("y", 99) + "\n")
	begun := time.Now()
	const records = 200_000
	for range records {
		_, _ = j.Write(line)
	}
	if took := time.Since(begun); took > 10*time.Second {
		t.Errorf("putting in took %v", took)
	}
	dropped := j.Missing().Dropped
	if dropped == 0 || dropped == records {
		t.Fatalf("%d of %d records were dropped", dropped, records)
	}
	lines, told := 0, int64(0)
	for in := bufio.NewScanner(r); int64(lines) < records-dropped || told < dropped; {
		if !in.Scan() {
			t.Fatalf("%d lines came through, and %d were told to be dropped", lines, told)
		}
		if n := int64(0); in.Text() != strings.TrimSpace(string(line)) {
			if _, err := fmt.Sscanf(in.Text(), "%d records were dropped", &n); err != nil {
				t.Fatalf("a strange line: %q", in.Text())
			}
			told += n
			continue
		}
		lines++
	}
	if int64(lines) != records-dropped || told != dropped {
		t.Errorf("%d lines came through, %d were told to be dropped; %d were", lines, told, dropped)
	}
	j.Close()
}

// The end of the process does not wait for a reader that has stopped.
func TestCloseWithAStalledReader(t *testing.T) {
	_, w := pipe(t)
	j := Open(w, nil)
	for range 2000 {
		_, _ = j.Write(bytes.Repeat([]byte("z"), 100))
	}
	begun := time.Now()
	j.Close()
	if took := time.Since(begun); took < flushTime/2 || took > 20*flushTime {
		t.Errorf("Close took %v", took)
	}
	select {
	case <-j.ended:
	default:
		t.Error("the writer goes on")
	}
	if j.Missing().Lost == 0 {
		t.Error("nothing counts as lost")
	}
}

func TestTheReaderIsGone(t *testing.T) {
	r, w := pipe(t)
	j := Open(w, nil)
	_ = r.Close()
	fmt.Fprintln(j, "one")
	fmt.Fprintln(j, "two")
	ends.Until(t, "both are lost", func() bool { return j.Missing() == Missing{Lost: 2} })
	j.Close()
}

// fickle is a writer that fails for a while.
type fickle struct {
	mu   sync.Mutex
	full bool
	text bytes.Buffer
}

func (f *fickle) Write(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.full {
		return 0, errors.New("no space left")
	}
	return f.text.Write(p)
}

func TestLostRecordsAreToldOnce(t *testing.T) {
	out := &fickle{full: true}
	j := Open(out, func(since Missing) []byte { return fmt.Appendf(nil, "lost %d\n", since.Lost) })
	for range 3 {
		fmt.Fprintln(j, "gone")
	}
	ends.Until(t, "they are lost", func() bool { return j.Missing().Lost == 3 })
	out.mu.Lock()
	out.full = false
	out.mu.Unlock()
	fmt.Fprintln(j, "there")
	j.Close()
	j.Close()
	if got := out.text.String(); got != "there\nlost 3\n" {
		t.Errorf("got %q", got)
	}
}

func TestARecordThatComesAloneMayBeLong(t *testing.T) {
	var out bytes.Buffer
	j := Open(&out, nil)
	_, _ = j.Write(make([]byte, 3*ringBytes))
	j.Close()
	if out.Len() != 3*ringBytes {
		t.Errorf("%d bytes came through", out.Len())
	}
}

func TestPuttingInCostsNoMemory(t *testing.T) {
	var r ring
	var b batch
	record := make([]byte, 100)
	for range 2 {
		for r.put(record) {
		}
		r.fetch(&b)
	}
	if n := testing.AllocsPerRun(100, func() { r.put(record) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
