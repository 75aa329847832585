package cli

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"

	"rgate/internal/journal"
)

// logging is the log of a server. All that it says goes through the journal,
// so that whoever reads it, or does not, holds up nothing.
type logging struct {
	*slog.Logger
	journal *journal.Journal
}

// newLog makes the log that the flags want. It is closed once nothing is said
// any more, errors of the end included.
func newLog(stderr io.Writer, f serveFlags) (*logging, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(f.logLevel)); err != nil {
		return nil, usageError{fmt.Errorf("--log-level %q must be debug, info, warn or error", f.logLevel)}
	}
	if f.debug {
		level = slog.LevelDebug
	}
	options := &slog.HandlerOptions{Level: level}
	handler := func(w io.Writer) slog.Handler { return slog.NewTextHandler(w, options) }
	switch f.logFormat {
	case "text":
	case "json":
		handler = func(w io.Writer) slog.Handler { return slog.NewJSONHandler(plainRecords{w}, options) }
	default:
		return nil, usageError{fmt.Errorf("--log-format %q must be text or json", f.logFormat)}
	}
	j := journal.Open(stderr, func(since journal.Missing) []byte {
		var line bytes.Buffer
		slog.New(handler(&line)).Warn(fmt.Sprintf("%d records were dropped: whoever reads this log did not keep up, or was gone", since.Dropped+since.Lost),
			"dropped", since.Dropped, "lost", since.Lost)
		return line.Bytes()
	})
	return &logging{Logger: slog.New(handler(j)), journal: j}, nil
}

// missing is what the log has lost so far.
func (l *logging) missing() (dropped, lost int64) {
	m := l.journal.Missing()
	return m.Dropped, m.Lost
}
