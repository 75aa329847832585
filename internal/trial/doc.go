// Package trial is what the programs that try rgate from outside have in
// common: bench, soak and attack. No part of rgate uses it.
package trial
