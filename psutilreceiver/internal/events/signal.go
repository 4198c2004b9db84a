package events

import "fmt"

// signalNames are the signals of Linux on all but a few architectures, by their numbers.
var signalNames = [...]string{
	1: "SIGHUP", 2: "SIGINT", 3: "SIGQUIT", 4: "SIGILL", 5: "SIGTRAP", 6: "SIGABRT", 7: "SIGBUS", 8: "SIGFPE", 9: "SIGKILL", 10: "SIGUSR1",
	11: "SIGSEGV", 12: "SIGUSR2", 13: "SIGPIPE", 14: "SIGALRM", 15: "SIGTERM", 16: "SIGSTKFLT", 17: "SIGCHLD", 18: "SIGCONT", 19: "SIGSTOP",
	20: "SIGTSTP", 21: "SIGTTIN", 22: "SIGTTOU", 23: "SIGURG", 24: "SIGXCPU", 25: "SIGXFSZ", 26: "SIGVTALRM", 27: "SIGPROF", 28: "SIGWINCH",
	29: "SIGIO", 30: "SIGPWR", 31: "SIGSYS",
}

// signalName is the name of a signal, or its number where it has none.
func signalName(n int64) string {
	if n > 0 && n < int64(len(signalNames)) {
		return signalNames[n]
	}
	return fmt.Sprintf("signal %d", n)
}

// isFault tells whether a signal is one that a program is killed by for a fault of its own.
func isFault(n int64) bool {
	switch n {
	case 4, 5, 6, 7, 8, 11, 31:
		return true
	}
	return false
}
