package listen

import (
	"net"
	"strings"
	"testing"
	"time"

	"rgate/internal/config"
	"rgate/internal/handover"
)

func configured(t *testing.T, text string) *config.Config {
	t.Helper()
	cfg, err := config.Parse("c.yml", []byte(text), nil)
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// opened is a process's listeners, and that they can be connected to.
func opened(t *testing.T, text string) Set {
	t.Helper()
	o, err := Open(&handover.Inheritance{}, "127.0.0.1:0", configured(t, text), Supply{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(o.Set.Close)
	return o.Set
}

func answers(addr net.Addr) bool {
	c, err := net.DialTimeout("tcp", addr.String(), time.Second)
	if err == nil {
		_ = c.Close()
	}
	return err == nil
}

func TestAChange(t *testing.T) {
	s := opened(t, "listeners: [{name: a, address: '127.0.0.1:0'}, {name: b, address: '127.0.0.2:0'}]")
	a, b := s[1], s[2]
	ch, err := s.Change(configured(t, "listeners: [{name: c, address: '127.0.0.3:0'}, {name: renamed, address: '"+b.Addr().String()+"'}]"), nil, Supply{})
	if err != nil {
		t.Fatal(err)
	}
	if len(ch.Next) != 3 || ch.Next[0] != s[0] || ch.Next[2] != b || len(ch.Opened) != 1 || ch.Opened[0] != ch.Next[1] || len(ch.Left) != 1 || ch.Left[0] != a {
		t.Errorf("%+v", ch)
	}
	if b.Config().Name != "b" || !answers(ch.Next[1].Addr()) || !answers(a.Addr()) {
		t.Error("something changed at once, or the new one does not listen")
	}
	// Another configuration comes before this one is in place.
	next, err := s.Change(configured(t, "listeners: [{name: d, address: '127.0.0.4:0'}, {name: c, address: '127.0.0.3:0'}]"), ch.Opened, Supply{})
	if err != nil {
		t.Fatal(err)
	}
	if next.Next[2] != ch.Next[1] || len(next.Opened) != 2 || len(next.Left) != 2 || len(next.Unused(ch.Opened)) != 0 {
		t.Errorf("%+v", next)
	}
	next.Undo()
	if answers(next.Next[1].Addr()) || !answers(next.Next[2].Addr()) {
		t.Error("what was undone listens, or what was there before does not")
	}
	ch.Commit()
	ch.Next.Close()
	if b.Config().Name != "renamed" {
		t.Errorf("it is still named %s", b.Config().Name)
	}
	if none, err := s.Change(configured(t, "listeners: [{name: b, address: '"+b.Addr().String()+"'}, {name: a, address: '127.0.0.1:0'}]"), nil, Supply{}); err != nil || !none.Empty() {
		t.Errorf("%+v %v", none, err)
	}
}

// A listener that cannot be opened lets none be.
func TestAChangeThatCannotBe(t *testing.T) {
	s := opened(t, "listeners: [{name: a, address: '127.0.0.1:0'}]")
	other, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	taken, own, first := other.Addr().String(), s[1].Addr().String(), s[0].Addr().String()
	_, port, _ := net.SplitHostPort(own)
	for text, want := range map[string]string{
		"[{address: '127.0.0.9:0'}, {address: '" + taken + "'}]": "c.yml:1:49: cannot listen on " + taken + ": bind: address already in use (is another program on that port?)",
		"[{address: ':" + port + "'}]":                           "(rgate itself listens on " + own + " as yet: first remove that one, by a reload of its own, or restart)",
		"[{address: '192.0.2.1:0'}]":                             "(it is no address of this machine)",
		"[{address: '" + first + "'}]":                           "c.yml:1:23: `" + first + "` cannot be listened on beside `" + first + "`, where rgate listens anyway",
	} {
		ch, err := s.Change(configured(t, "listeners: "+text), nil, Supply{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v %+v instead of %q", err, ch, want)
		}
	}
	if !answers(s[1].Addr()) {
		t.Error("what was there listens no more")
	}
}

func TestAListenerIsGone(t *testing.T) {
	l := New(nil, config.Listener{})
	l.Attend()
	l.Hold()
	if l.Draining() {
		t.Error("it drains from the beginning")
	}
	l.Drain(0)
	l.Drain(time.Hour)
	if !l.Draining() || l.Linger() != 1 {
		t.Errorf("%v %v", l.Draining(), l.Linger())
	}
	l.Leave()
	<-l.Shut()
	select {
	case <-l.Gone():
		t.Error("it is gone while it is held")
	default:
	}
	l.Release()
	<-l.Gone()
}
