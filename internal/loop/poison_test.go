//go:build linux && poison

package loop

import (
	"bytes"
	"testing"
)

// TestMemoryGivenBackIsPoisoned: who keeps a slice of it reads 0xDB.
func TestMemoryGivenBackIsPoisoned(t *testing.T) {
	var f buffers
	b := buffer{b: append(f.get(), "a client's bytes"...)}
	kept := b.pending()
	spoilt := bytes.Repeat([]byte{0xDB}, len(kept))
	f.widen(&b, 2*bufferSize)
	if !bytes.Equal(kept, spoilt) || string(b.pending()) != "a client's bytes" {
		t.Errorf("after widen the old memory holds %q, the new %q", kept, b.pending())
	}
	kept = b.pending()
	b.r += 2
	b.compact(0)
	if got := kept[14:]; !bytes.Equal(got, spoilt[14:]) {
		t.Errorf("behind what was compacted stands %q", got)
	}
	f.put(&b)
	if !bytes.Equal(kept, spoilt) {
		t.Errorf("after put the memory holds %q", kept)
	}
}
