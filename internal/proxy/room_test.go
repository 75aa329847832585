package proxy

import "testing"

func TestRoom(t *testing.T) {
	for _, c := range []struct{ descriptors, limit, room int }{
		{0, 0, 0}, {0, 10, 10}, {1088, 0, 495}, {1088, 494, 494}, {1088, 496, 495}, {10, 0, 1},
	} {
		if n := roomIn(c.descriptors, c.limit); n != c.room {
			t.Errorf("%d of %d descriptors, with a limit of %d: want %d", n, c.descriptors, c.limit, c.room)
		}
	}
	if Room(1) != 1 {
		t.Error("there is no room for one")
	}
}
