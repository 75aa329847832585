package cert

import "testing"

func TestStateDir(t *testing.T) {
	for _, test := range []struct {
		said string
		uid  int
		env  map[string]string
		want string
	}{
		{"/x", 0, map[string]string{"STATE_DIRECTORY": "/s"}, "/x"},
		{"", 5, map[string]string{"STATE_DIRECTORY": "/s:/t", "HOME": "/home/a"}, "/s"},
		{"", 0, map[string]string{"HOME": "/root", "XDG_STATE_HOME": "/y"}, "/var/lib/rgate"},
		{"", 5, map[string]string{"HOME": "/home/a", "XDG_STATE_HOME": "/y"}, "/y/rgate"},
		{"", 5, map[string]string{"HOME": "/home/a", "XDG_STATE_HOME": "y"}, "/home/a/.local/state/rgate"},
		{"", 5, map[string]string{"HOME": "/"}, "/var/lib/rgate"},
		{"", 5, nil, "/var/lib/rgate"},
	} {
		got := StateDir(test.said, test.uid, func(name string) (string, bool) { v, ok := test.env[name]; return v, ok })
		if got != test.want {
			t.Errorf("%+v: %s", test, got)
		}
	}
}
