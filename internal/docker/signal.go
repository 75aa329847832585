package docker

import (
	"strconv"
	"strings"
)

// Signals as Linux numbers them: containers run on Linux wherever rgate runs.
const (
	sigKILL = 9
	sigTERM = 15
	rtMin   = 34 // as the C library counts, and the engine with it
	rtMax   = 64
)

// signalNumber reads a signal as an engine's configuration or event spells it:
// SIGTERM, TERM, 15, SIGRTMIN+3. 0 is for what is none.
func signalNumber(s string) int {
	s = strings.TrimPrefix(strings.ToUpper(s), "SIG")
	if n, err := strconv.Atoi(s); err == nil {
		return n
	}
	if n, ok := signalNumbers[s]; ok {
		return n
	}
	for prefix, base := range map[string]int{"RTMIN": rtMin, "RTMAX": rtMax} {
		if rest, ok := strings.CutPrefix(s, prefix); ok {
			n, err := strconv.Atoi("0" + strings.TrimLeft(rest, "+-"))
			if err != nil {
				return 0
			}
			if prefix == "RTMAX" {
				n = -n
			}
			return base + n
		}
	}
	return 0
}

var signalNumbers = map[string]int{
	"HUP": 1, "INT": 2, "QUIT": 3, "ILL": 4, "TRAP": 5, "ABRT": 6, "IOT": 6, "BUS": 7, "FPE": 8,
	"KILL": sigKILL, "USR1": 10, "SEGV": 11, "USR2": 12, "PIPE": 13, "ALRM": 14, "TERM": sigTERM,
	"STKFLT": 16, "CHLD": 17, "CLD": 17, "CONT": 18, "STOP": 19, "TSTP": 20, "TTIN": 21, "TTOU": 22,
	"URG": 23, "XCPU": 24, "XFSZ": 25, "VTALRM": 26, "PROF": 27, "WINCH": 28, "IO": 29, "POLL": 29,
	"PWR": 30, "SYS": 31,
}
