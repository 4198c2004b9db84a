package read

import "github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/cgroup"

// An ExitSource is a [Source] that the kernel tells of every process that ends, so that nothing is lost of what a process used after its last reading, or of
// one that lived between two scans. Its I/O counters are those of a process itself, without what Linux adds to a parent for children that it waited for. Its
// context switches are those of all threads, also of those that have ended.
type ExitSource interface {
	Source
	// Exits calls visit for what has ended and was not visited before, and returns how many processes ended of which nothing is known, because too many did at
	// once. It is called after Scan. The exit belongs to the source and is valid during the call. The kernel tells of an end when the process was waited for, and somewhat
	// later: one that a scan does not have any more may come after the next scan only.
	//
	// Of a process that started before the source began to look, and that no scan has seen, it says nothing: what it used is not new.
	// What a scan has seen that broke off counts as seen.
	Exits(visit func(*Exit)) (lost uint64)
	// Owner returns the name of a user as [Identity] has it.
	Owner(uid uint32) string
	// Cgroup returns the path in the unified hierarchy of a control group in which a process has ended, by its number; "" where that is not known, and for the
	// root.
	Cgroup(id uint64) string
}

// SetUnifiedCgroup sets what follows from a path in the unified hierarchy.
func (id *Identity) SetUnifiedCgroup(path string) {
	id.Cgroup, id.CgroupText = path, "0::"+path
	id.Unit, id.ContainerID = cgroup.Unit(path), cgroup.ContainerID(path)
	id.Have |= AttributeCgroup
}

// An Exit is what a process used until its end, or what several did that no scan has seen.
type Exit struct {
	// Key is that of a process that a scan has seen; the zero Key where no scan has seen it, and it may be several.
	Key
	Processes uint64 // how many ended: 1 where Key is not zero
	// Ancestor is the pid of the nearest ancestor that lives: the parent at the end, or where that has ended since its parent at its end, and so on. 0 where there is none.
	Ancestor int32
	UID      uint32 // effective user
	CgroupID uint64 // of the group in the unified hierarchy, its inode number; 0 where it is not known
	Totals   Totals // until the end, without ReapedUser and ReapedSystem
	Comm     string // the kernel's name of the process: stat comm (2); "" of several that have nothing in common, for there were too many to keep them apart
}
