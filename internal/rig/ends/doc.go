// Package ends is what stands at either end of a gateway in tests: endpoints, a
// book for what is logged, and the patience to wait for both. No part of rgate
// uses it. It imports nothing of ours, so that the tests of any package can.
package ends
