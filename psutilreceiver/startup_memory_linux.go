package psutilreceiver

import (
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// unmapUnusedCode takes the pages of this program's file out of the process. They stay in the kernel's page cache, and what runs again is mapped
// again at its first use; what does not run is no longer resident, and the kernel takes it back before anything else when memory is short. An error
// changes nothing, and so is none.
func unmapUnusedCode() {
	program, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return
	}
	maps, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		return
	}
	unmap(fileMappings(string(maps), program))
}

func unmap(mappings []mapping) {
	for _, m := range mappings {
		_, _, _ = unix.Syscall(unix.SYS_MADVISE, m.start, m.end-m.start, unix.MADV_DONTNEED)
	}
}

type mapping struct{ start, end uintptr }

// fileMappings finds in the text of an smaps the mappings of a file that have nothing but its pages. What a debugger or a probe has changed is anonymous, and
// would be lost: that mapping stays as it is, and so does one that may be written to.
func fileMappings(smaps, file string) (found []mapping) {
	var m mapping
	of := false
	for line := range strings.Lines(smaps) {
		fields := strings.Fields(line)
		if len(fields) >= 5 && !strings.HasSuffix(fields[0], ":") { // The first line of a mapping: its addresses, how it may be used, and its file.
			start, end, _ := strings.Cut(fields[0], "-")
			a, errA := strconv.ParseUint(start, 16, 64)
			b, errB := strconv.ParseUint(end, 16, 64)
			m = mapping{uintptr(a), uintptr(b)}
			of = errA == nil && errB == nil && a < b && !strings.Contains(fields[1], "w") && file != "" && strings.Join(fields[5:], " ") == file
			continue
		}
		if of && len(fields) == 3 && fields[0] == "Anonymous:" && fields[1] == "0" {
			found = append(found, m)
		}
	}
	return found
}
