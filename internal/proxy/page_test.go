package proxy

import (
	"testing"
	"time"

	"rgate/internal/upstream"
)

// Pages are made one at a time, not at all for who has left, and with what was
// asked even where the exchange is another's by then.
func TestPagesAreMadeOneAtATime(t *testing.T) {
	g, _ := gateOf(t, one)
	begun, release := make(chan string), make(chan struct{})
	g.Inform(func(x *Exchange) *Answer {
		begun <- string(x.Query)
		<-release
		return &Answer{Status: 200, Body: x.Query}
	})
	ask := func(query string) (*Exchange, *Term, chan struct{}) {
		x, term, woken := request("GET", "/stats?"+query), &Term{}, make(chan struct{})
		if g.Begin(x) != Wait || x.Job.Limit() <= 0 || !x.Owed() {
			t.Fatal("it does not wait for a page")
		}
		x.Job.Start(term, func() { close(woken) })
		return x, term, woken
	}
	first, _, firstDone := ask("1")
	<-begun
	second, gone, _ := ask("2")
	third, _, thirdDone := ask("3")
	select {
	case q := <-begun:
		t.Fatalf("%s is made beside another", q)
	case <-time.After(10 * time.Millisecond):
	}
	gone.End()
	second.Job.Abandon()
	second.End(upstream.Canceled, time.Now())
	second.Reset()
	release <- struct{}{}
	if q := <-begun; q != "?3" {
		t.Errorf("then %s is made", q)
	}
	release <- struct{}{}
	for x, done := range map[*Exchange]chan struct{}{first: firstDone, third: thirdDone} {
		<-done
		if x.Job.Finish() != Reply || string(x.Answer.Body) != string(x.Query) {
			t.Errorf("%s: %+v", x.Query, x.Answer)
		}
	}
	late, _, _ := ask("4")
	<-begun
	if late.Job.Late() != Reply || late.Answer.Status != 503 {
		t.Errorf("late: %+v", late.Answer)
	}
	release <- struct{}{}
}
