package h1

import (
	"math"
	"time"
)

// KeepAliveTimeout reads how long the sender of a Keep-Alive field keeps the
// connection while it is idle: the parameter timeout, in whole seconds (RFC
// 2068 §19.7.1; later ones leave the field undescribed, servers send it all
// the same). It is false where there is none, or none that can be read. Of
// several the shortest counts, because it is safe under any reading.
func KeepAliveTimeout(value []byte) (time.Duration, bool) {
	const most = math.MaxInt64 / int64(time.Second)
	shortest, found := int64(most), false
	for rest := value; len(rest) > 0; {
		var param []byte
		param, rest = nextElement(rest)
		const name = "timeout="
		if len(param) <= len(name) || !equalFold(param[:len(name)], name) {
			continue
		}
		if seconds, ok := parseLength(param[len(name):]); ok {
			shortest, found = min(shortest, seconds), true
		}
	}
	if !found {
		return 0, false
	}
	return time.Duration(shortest) * time.Second, true
}
