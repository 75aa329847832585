// Package rig puts either engine on a real socket for tests that both must
// pass. No part of rgate uses it.
package rig
