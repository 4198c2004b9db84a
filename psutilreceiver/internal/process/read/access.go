package read

import (
	"slices"
	"strings"
)

// Access says what this process may not read of other processes, so that it can be logged once instead of for every value that is missing.
type Access struct {
	// Lacks names the capabilities that this process does not have, of those that would give it more.
	Lacks []string
	// Unreadable names what cannot be read of other users' processes without them.
	Unreadable []string
	// Hidepid is the option of the procfs that hides other users' processes: "noaccess" (their files cannot be read), "invisible" (they are
	// not listed), "ptraceable" (only processes that may be traced are listed), or "" where nothing is hidden from this process.
	Hidepid string
}

// OfIdentity returns what of it is left where the kernel itself hands over the numbers of all processes: /proc is then read for what a process is, and for the
// memory that it shares.
func (a Access) OfIdentity() Access {
	a.Lacks = slices.DeleteFunc(slices.Clone(a.Lacks), func(name string) bool { return name == capDACReadSearch })
	a.Unreadable = slices.DeleteFunc(slices.Clone(a.Unreadable), func(what string) bool { return what == unreadableIO || what == unreadableDescriptors })
	return a
}

// A capability, and what cannot be read without it.
const (
	capDACReadSearch      = "CAP_DAC_READ_SEARCH"
	unreadableIO          = "disk and logical I/O"
	unreadableDescriptors = "descriptor count"
)

// String returns one line for a log, "" if nothing is missing.
func (a Access) String() string {
	var parts []string
	if len(a.Lacks) > 0 {
		parts = append(parts, "without "+strings.Join(a.Lacks, " and ")+" there is no "+strings.Join(a.Unreadable, ", ")+" of other users' processes")
	}
	if a.Hidepid != "" {
		parts = append(parts, "procfs is mounted with hidepid="+a.Hidepid+", which hides other users' processes from one without CAP_SYS_PTRACE")
	}
	return strings.Join(parts, "; ")
}
