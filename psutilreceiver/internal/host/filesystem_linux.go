package host

import (
	"bytes"
	"strings"
)

// mountTable reads /proc/<pid>/mountinfo, and parses it again only when it has changed.
type mountTable struct {
	own, hosts []byte // texts that were parsed last
	entries    []mountEntry
}

// list gives the mounts of the host: those of the collector's own mount namespace, or, with a root, those of the host's first
// process, as far as they can be reached below the root. A path at which nothing is mounted here would answer for the filesystem
// beneath it.
func (t *mountTable) list(h *Host) (entries []mountEntry, changed bool, err error) {
	own, err := h.read("proc/self/mountinfo")
	hosts, hostsErr := h.read("proc/1/mountinfo")
	if h.root != "" && hostsErr == nil {
		err = nil
	}
	if err != nil {
		return nil, false, err
	}
	if h.root == "" && bytes.Equal(own, hosts) {
		hosts = nil // One namespace: the other table has nothing more.
	}
	if t.entries != nil && bytes.Equal(own, t.own) && bytes.Equal(hosts, t.hosts) {
		return t.entries, false, nil
	}
	t.own = append(t.own[:0], own...)
	t.hosts = append(t.hosts[:0], hosts...)
	ownLines, hostLines := parseMountinfo(own), parseMountinfo(hosts)
	mounts := hostMounts(h, ownLines, hostLines)
	readOnly := readOnlyFilesystems(h, ownLines, hostLines)
	t.entries = make([]mountEntry, len(mounts))
	for i, m := range mounts {
		t.entries[i] = mountEntry{
			Mount: Mount{
				Device: m.source, Mountpoint: m.mountpoint, Type: m.fsType, ReadOnly: readOnly[m.device],
				Virtual: virtualTypes[m.fsType],
			},
			filesystem: m.device, part: m.part,
			path: h.Path(m.mountpoint),
		}
	}
	return t.entries, true, nil
}

// hostMounts gives the mounts that can be read, at the places at which the host sees them. Own is the table of this process, and
// of use under a root only where the root is among its mounts; hosts that of the host's first process, empty where that can't be
// read.
func hostMounts(h *Host, own, hosts []mountLine) []mountLine {
	switch {
	case h.root == "":
		return visibleMounts(own)
	case !isMountpoint(own, h.root) && len(hosts) > 0:
		return visibleMounts(hosts)
	case len(hosts) > 0:
		return reachable(visibleMounts(hosts), visibleMounts(own), h)
	case isMountpoint(own, h.root):
		return below(visibleMounts(own), h.root)
	default:
		return visibleMounts(own)
	}
}

// readOnlyFilesystems tells by st_dev which filesystems nobody can write: their superblock is read-only, or so is every mount of them. A bind mount
// of a part says nothing about the rest, so where there is no other mount the superblock's state is all there is. The mounts are the host's, where
// they can be read: a service manager or a container may have made all of them read-only for this process alone. Below a root without the
// host's table only the superblocks are the host's.
func readOnlyFilesystems(h *Host, own, hosts []mountLine) map[string]bool {
	table := own
	if len(hosts) > 0 {
		table = hosts
	}
	type modes struct{ super, whole, writable bool }
	found := make(map[string]modes)
	for _, m := range visibleMounts(table) {
		f := found[m.device]
		f.super = f.super || m.superReadOnly
		f.whole = f.whole || !m.part
		f.writable = f.writable || !m.readOnly
		found[m.device] = f
	}
	mountsAreHosts := h.root == "" || len(hosts) > 0
	readOnly := make(map[string]bool, len(found))
	for device, f := range found {
		readOnly[device] = f.super || mountsAreHosts && f.whole && !f.writable
	}
	for _, m := range own { // What the host's table lacks.
		if _, known := found[m.device]; !known {
			readOnly[m.device] = readOnly[m.device] || m.superReadOnly || mountsAreHosts && m.readOnly && !m.part
		}
	}
	return readOnly
}

func isMountpoint(mounts []mountLine, path string) bool {
	for i := range mounts {
		if mounts[i].mountpoint == path {
			return true
		}
	}
	return false
}

// reachable keeps the mounts that this process sees at the same place below the root.
func reachable(mounts, own []mountLine, h *Host) []mountLine {
	type place struct{ device, mountpoint string }
	places := make(map[place]bool, len(own))
	for i := range own {
		places[place{own[i].device, own[i].mountpoint}] = true
	}
	kept := mounts[:0]
	for _, m := range mounts {
		if places[place{m.device, h.Path(m.mountpoint)}] {
			kept = append(kept, m)
		}
	}
	return kept
}

// below keeps the mounts below the root and gives their places from there.
func below(mounts []mountLine, root string) []mountLine {
	kept := mounts[:0]
	for _, m := range mounts {
		if rest, ok := strings.CutPrefix(m.mountpoint, root); ok && (rest == "" || rest[0] == '/') {
			m.mountpoint = "/" + strings.TrimPrefix(rest, "/")
			kept = append(kept, m)
		}
	}
	return kept
}

// statfs reads the space of the filesystem at path. It may block forever.
func (h *Host) statfs(path string) (Space, error) {
	st, err := h.dir.Statfs(path)
	if err != nil {
		return Space{}, err
	}
	// The counts are in fragments; filesystems that know none leave the field 0.
	blockSize := uint64(st.Frsize)
	if blockSize == 0 {
		blockSize = uint64(st.Bsize)
	}
	return spaceOf(st.Blocks, st.Bfree, st.Bavail, blockSize, st.Files, st.Ffree), nil
}

// virtualTypes are the filesystem types without storage of their own.
var virtualTypes = map[string]bool{
	// Interfaces of the kernel and of programs.
	"autofs": true, "bdev": true, "binder": true, "binfmt_misc": true, "bpf": true, "cgroup": true, "cgroup2": true,
	"configfs": true, "cpuset": true, "debugfs": true, "devpts": true, "efivarfs": true, "functionfs": true, "fuse.gvfsd-fuse": true,
	"fuse.lxcfs": true, "fuse.portal": true, "fuse.vmware-vmblock": true, "fusectl": true, "mqueue": true, "nfsd": true, "nsfs": true,
	"pipefs": true, "proc": true, "pstore": true, "resctrl": true, "rpc_pipefs": true, "securityfs": true, "selinuxfs": true,
	"smackfs": true, "sockfs": true, "sysfs": true, "tracefs": true, "usbfs": true, "xenfs": true,
	// Memory.
	"devtmpfs": true, "hugetlbfs": true, "ramfs": true, "rootfs": true, "tmpfs": true,
	// Layers over other filesystems.
	"aufs": true, "ecryptfs": true, "fuse.fuse-overlayfs": true, "fuse.mergerfs": true, "overlay": true, "overlayfs": true,
	"shiftfs": true, "unionfs": true,
	// Images.
	"cramfs": true, "erofs": true, "fuse.snapfuse": true, "fuse.squashfuse": true, "iso9660": true, "romfs": true, "squashfs": true,
}
