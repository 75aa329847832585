// Package trial is what the programs that try rgate from outside have in
// common: bench, soak and attack; tests take their ports from it too. No part of rgate uses it.
package trial
