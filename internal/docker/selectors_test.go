package docker

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"rgate/internal/discovery"
)

// labelsOf reads "k=v k2 k3=" as requirements.
func labelsOf(text string) []discovery.Label {
	var all []discovery.Label
	for _, item := range strings.Fields(text) {
		key, value, given := strings.Cut(item, "=")
		all = append(all, discovery.Label{Key: key, Value: value, AnyValue: !given})
	}
	return all
}

// The engine's part of the selection never leaves out what ours takes, and
// ours agrees with asking each label in turn.
func FuzzSelectors(f *testing.F) {
	f.Add("app=a env=p", "app=b env=p", "app=a env=p tier=1")
	f.Add("app", "app=b", "app=b")
	f.Add("a= b", "b a", "a= b=")
	f.Fuzz(func(t *testing.T, first, second, has string) {
		labels := map[string]string{}
		for _, l := range labelsOf(has) {
			labels[l.Key] = l.Value
		}
		sel := selectors{{Backend: "1", Labels: labelsOf(first)}, {Backend: "2", Labels: labelsOf(second)}}
		for _, s := range sel {
			want := len(s.Labels) > 0
			for _, l := range s.Labels {
				value, ok := labels[l.Key]
				want = want && ok && (l.AnyValue || value == l.Value)
			}
			if got := selects(s, labels); got != want {
				t.Fatalf("%v on %v: %v, want %v", s.Labels, labels, got, want)
			}
			missing := missingLabel(facts{labels: labels}, s)
			if want && missing != "" || !want && len(s.Labels) > 0 && missing == "" {
				t.Fatalf("%v on %v: selected %v, missing %q", s.Labels, labels, want, missing)
			}
		}
		if sel.any(labels) {
			for filter := range sel.filters()["label"] {
				key, value, exact := strings.Cut(filter, "=")
				if got, ok := labels[key]; !ok || exact && got != value {
					t.Fatalf("the engine would leave out %v by %q", labels, filter)
				}
			}
		}
	})
}

func TestLabelsAreSpelledAsInTheFile(t *testing.T) {
	got := fmt.Sprint(labelsOf("app=x tier empty="))
	if got != "[app=x tier empty=]" {
		t.Errorf("got %s", got)
	}
	if len(slices.Collect(maps.Keys(selectors(nil).filters()))) != 0 {
		t.Error("no selectors, but filters")
	}
}
