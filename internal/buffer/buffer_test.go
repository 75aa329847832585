package buffer

import "testing"

func TestBuffer(t *testing.T) {
	var l List
	var b Buffer
	if !b.Empty() || b.Room() != 0 {
		t.Error("the zero Buffer holds something")
	}
	l.Need(&b)
	b.Fill(copy(b.Free(), "head body next"))
	b.Take(5, 5)
	if string(b.Pending()) != "body next" || b.Room() != Size-14 {
		t.Errorf("pending %q, room %d", b.Pending(), b.Room())
	}
	b.Take(5, 5)
	b.Compact(5)
	if string(b.B) != "head next" || string(b.Pending()) != "next" {
		t.Errorf("compacted to %q, pending %q", b.B, b.Pending())
	}
	b.Take(4, 5)
	if !b.Empty() || string(b.B) != "head " {
		t.Errorf("%q is kept", b.B)
	}
	b.B = append(b.B, "x"...)
	l.Need(&b) // has some
	if b.Clear(); len(b.B) != 0 || !b.Empty() {
		t.Errorf("%q is left", b.B)
	}
	l.Put(&b)
	if len(l.All()) != 1 {
		t.Errorf("%d are there to be lent", len(l.All()))
	}
	l.Need(&b)
	l.Widen(&b, 3*Size)
	if len(l.All()) != 1 || cap(b.B) != 3*Size {
		t.Errorf("%d there, %d wide", len(l.All()), cap(b.B))
	}
	if l.Put(&b); len(l.All()) != 1 {
		t.Error("what is wider is lent, too")
	}
}
