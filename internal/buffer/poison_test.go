//go:build poison

package buffer

import (
	"bytes"
	"testing"
)

// lender is what List and Pool are.
type lender interface {
	Need(*Buffer)
	Put(*Buffer)
	Widen(*Buffer, int)
}

// TestMemoryGivenBackIsPoisoned: who keeps a slice of it reads 0xDB.
func TestMemoryGivenBackIsPoisoned(t *testing.T) {
	for _, l := range []lender{&List{}, &Pool{}} {
		var b Buffer
		l.Need(&b)
		b.B = append(b.B, "a client's bytes"...)
		kept := b.Pending()
		spoilt := bytes.Repeat([]byte{0xDB}, len(kept))
		l.Widen(&b, 2*Size)
		if !bytes.Equal(kept, spoilt) || string(b.Pending()) != "a client's bytes" || cap(b.B) != 2*Size {
			t.Errorf("%T: after Widen the old memory holds %q, the new %q", l, kept, b.Pending())
		}
		kept = b.Pending()
		b.R += 2
		b.Compact(0)
		if got := kept[14:]; !bytes.Equal(got, spoilt[14:]) {
			t.Errorf("%T: behind what was compacted stands %q", l, got)
		}
		l.Put(&b)
		if !bytes.Equal(kept, spoilt) || b.B != nil {
			t.Errorf("%T: after Put the memory holds %q", l, kept)
		}
	}
}
