//go:build amd64 || arm64

package bpf

import (
	"os"
	"slices"
	"strings"
)

// firstCgroupNamespace is the link of the namespace that the host's first process is in: PROC_CGROUP_INIT_INO of include/linux/proc_ns.h.
const firstCgroupNamespace = "cgroup:[4026531835]"

// seesWholePaths tells whether /proc/PID/cgroup has for this process the path that the kernel has: not from within a namespace for control groups.
func seesWholePaths() bool {
	namespace, err := os.Readlink("/proc/self/ns/cgroup")
	return err == nil && namespace == firstCgroupNamespace
}

// Cgroup returns the path of a control group in which a process has ended, as [read.Identity] has it, also of one that was removed. It is "" where that is
// not known, and for the root, where all are if the hierarchy is not used.
func (r *Reader) Cgroup(id uint64) string {
	if r.programs == nil || !r.wholePaths {
		return ""
	}
	var path programsPath
	if err := r.programs.collection.Maps[programsMapPaths].Lookup(&id, &path); err != nil {
		return ""
	}
	if path.Names[0][0] == 0 {
		return ""
	}
	return path.String()
}

// String returns the names from the root down.
func (p *programsPath) String() string {
	var names []string
	for i := range p.Names {
		name := text(p.Names[i][:], len(p.Names[i]))
		if len(name) == 0 {
			break
		}
		names = append(names, string(name))
	}
	slices.Reverse(names)
	return "/" + strings.Join(names, "/")
}
