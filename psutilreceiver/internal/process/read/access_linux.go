package read

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/heldfile"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/proctext"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/rootfs"
)

// ProbeAccess finds out what this process may not see of the processes of the host whose root directory is root, by its effective
// capabilities and the options that <root>/proc is mounted with. What stat gives needs no privilege, nor do threads, context switches,
// swap, owner, command line and cgroup. The count of descriptors needs none since Linux 6.2. A capability that holds in a user namespace of this
// process's own does not reach processes outside of it, which is not seen here: the read errors of a scan show it.
func ProbeAccess(root string) (Access, error) {
	effective, err := EffectiveCapabilities()
	if err != nil {
		return Access{}, err
	}
	hidepid, group, err := mountOptions(root)
	if err != nil {
		return Access{}, err
	}
	groups, err := os.Getgroups()
	if err != nil {
		return Access{}, fmt.Errorf("reading own groups: %w", err)
	}
	dir := newProcdir(rootfs.At(root))
	countsDescriptors := dir.open() == nil && dir.fdSizes
	_ = dir.close()
	a := missingAccess(effective, countsDescriptors)
	if slices.Contains(a.Lacks, capSysPtrace) && group != os.Getegid() && !slices.Contains(groups, group) {
		a.Hidepid = hidepid
	}
	return a, nil
}

// EffectiveCapabilities returns the capabilities that this process has in effect: bit n is that of number n in capabilities(7).
func EffectiveCapabilities() (uint64, error) {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		return 0, fmt.Errorf("reading own capabilities: %w", err)
	}
	return uint64(data[1].Effective)<<32 | uint64(data[0].Effective), nil
}

const capSysPtrace = "CAP_SYS_PTRACE"

// missingAccess says what a set of effective capabilities leaves out. To follow exe and to read smaps_rollup a process must be allowed to
// trace the other; io and fd besides are readable by their owner alone. CAP_DAC_OVERRIDE opens them as CAP_DAC_READ_SEARCH does.
func missingAccess(effective uint64, countsDescriptors bool) Access {
	has := func(capability int) bool { return effective&(1<<capability) != 0 }
	trace := has(unix.CAP_SYS_PTRACE)
	open := has(unix.CAP_DAC_READ_SEARCH) || has(unix.CAP_DAC_OVERRIDE)
	var a Access
	if !trace {
		a.Lacks = append(a.Lacks, capSysPtrace)
		a.Unreadable = append(a.Unreadable, "executable path", "proportional and unique memory")
	}
	if !open {
		a.Lacks = append(a.Lacks, capDACReadSearch)
	}
	if !trace || !open {
		a.Unreadable = append(a.Unreadable, unreadableIO)
	}
	if !open && !countsDescriptors {
		a.Unreadable = append(a.Unreadable, unreadableDescriptors)
	}
	return a
}

// mountOptions returns the hidepid option of the procfs at <root>/proc, and the group that is exempt from it: root's unless another is named.
// The mounts are those of this process, which is what self is in a procfs that knows it.
func mountOptions(root string) (hidepid string, group int, err error) {
	path := filepath.Join(rootOrSlash(root), "proc")
	text, err := readMountinfo(root)
	if err != nil {
		return "", 0, fmt.Errorf("reading mounts of procfs: %w", err)
	}
	hidepid, group = parseHidepid(text, path)
	return hidepid, group, nil
}

func readMountinfo(root string) ([]byte, error) {
	host := rootfs.At(root)
	f, err := host.Open(host.Join("proc/self/mountinfo"), heldfile.MaxMountinfo)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return heldfile.ReadAll(int(f.Fd()), nil, heldfile.MaxMountinfo)
}

// parseHidepid reads the text of mountinfo, see proc(5). Of several mounts on one path the last is the one that is seen.
func parseHidepid(text []byte, path string) (hidepid string, group int) {
	for len(text) > 0 {
		var line []byte
		line, text = proctext.Line(text)
		mount, super, ok := bytes.Cut(line, []byte(" - "))
		if !ok {
			continue
		}
		words := bytes.Fields(mount)
		superWords := bytes.Fields(super)
		if len(words) < 5 || len(superWords) < 3 || string(superWords[0]) != "proc" || string(proctext.Unescape(words[4])) != path {
			continue
		}
		hidepid, group = "", 0
		for option := range bytes.SplitSeq(superWords[2], []byte(",")) {
			key, value, _ := bytes.Cut(option, []byte("="))
			switch string(key) {
			case "hidepid":
				hidepid = hidepidName(string(value))
			case "gid":
				if gid, err := strconv.Atoi(string(value)); err == nil {
					group = gid
				}
			}
		}
	}
	return hidepid, group
}

// hidepidName returns the name of an option that kernels before 5.8 print as a number.
func hidepidName(value string) string {
	switch value {
	case "0", "off":
		return ""
	case "1":
		return "noaccess"
	case "2":
		return "invisible"
	case "4":
		return "ptraceable"
	}
	return value
}

func rootOrSlash(root string) string {
	if root == "" {
		return "/"
	}
	return root
}
