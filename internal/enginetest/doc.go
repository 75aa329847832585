// Package enginetest gives tests real Docker engines, containers of a small
// test server on them, and a fake engine for what a real one cannot be made to
// do. Only tests import it, and the soak, which plays one (T).
//
// No image is pulled: images are made FROM scratch out of static binaries.
// Everything made carries the label rgate.test and goes when its test ends.
package enginetest
