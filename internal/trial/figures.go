package trial

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// Keep writes figures to a file, as JSON.
func Keep(file string, figures any) error {
	text, err := json.MarshalIndent(figures, "", "\t")
	if err == nil {
		err = os.MkdirAll(filepath.Dir(file), 0o755)
	}
	if err == nil {
		err = os.WriteFile(file, append(text, '\n'), 0o644)
	}
	if err != nil {
		return fmt.Errorf("cannot keep the figures: %w", err)
	}
	return nil
}

// Kept reads figures that Keep wrote.
func Kept(file string, into any) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("cannot read the figures: %w", err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("cannot read the figures in %s: %w", file, err)
	}
	return nil
}
