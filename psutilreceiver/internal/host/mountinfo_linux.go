package host

import (
	"bytes"
	"path"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/proctext"
)

// mountLine is a line of /proc/<pid>/mountinfo.
type mountLine struct {
	id, parent string
	device     string // major:minor, st_dev of the filesystem
	mountpoint string
	fsType     string
	source     string
	readOnly   bool // this mount
	// superReadOnly: the filesystem itself, whichever mount it is reached by.
	superReadOnly bool
	// part: only a directory, or a file, of the filesystem is mounted here, as a bind mount does.
	part bool
}

// parseMountinfo reads the lines of proc_pid_mountinfo(5). One that makes no sense is skipped: it costs its own mount, not
// the others.
func parseMountinfo(text []byte) []mountLine {
	var mounts []mountLine
	for len(text) > 0 {
		var l []byte
		l, text = proctext.Line(text)
		if m, ok := parseMountLine(l); ok {
			mounts = append(mounts, m)
		}
	}
	return mounts
}

// parseMountLine reads: id parent major:minor root mountpoint options [optional fields] - type source super-options.
func parseMountLine(l []byte) (mountLine, bool) {
	const beforeOptional = 6
	var fields [beforeOptional][]byte
	for i := range fields {
		if fields[i], l = proctext.Field(l); len(fields[i]) == 0 {
			return mountLine{}, false
		}
	}
	for {
		var f []byte
		if f, l = proctext.Field(l); len(f) == 0 {
			return mountLine{}, false
		}
		if string(f) == "-" {
			break
		}
	}
	fsType, l := proctext.Field(l)
	// An empty source is written as nothing at all, so that the options stand in its place.
	source, l := proctext.Field(l)
	superOptions, _ := proctext.Field(l)
	if len(superOptions) == 0 {
		source, superOptions = nil, source
	}
	mountpoint := string(proctext.Unescape(fields[4]))
	if len(fsType) == 0 || len(mountpoint) == 0 || mountpoint[0] != '/' || bytes.IndexByte(fields[2], ':') < 0 {
		return mountLine{}, false
	}
	return mountLine{
		id: string(fields[0]), parent: string(fields[1]), device: string(fields[2]), mountpoint: mountpoint,
		fsType: string(proctext.Unescape(fsType)), source: string(proctext.Unescape(source)),
		readOnly: hasOption(fields[5], "ro"), superReadOnly: isSuperReadOnly(superOptions), part: isPart(fields[3], superOptions),
	}, true
}

// isSuperReadOnly tells by the options of a superblock whether nobody can write: ro, by which it was mounted or to which the kernel went after an
// error; emergency_ro, to which ext4 goes since Linux 6.15, as it no longer changes to ro; shutdown, after which all operations fail.
// An option like errors=remount-ro is no state: it says what an error would do.
func isSuperReadOnly(options []byte) bool {
	return hasOption(options, "ro") || hasOption(options, "emergency_ro") || hasOption(options, "shutdown")
}

// isPart tells by the root of a mount within its filesystem whether it is less than the filesystem. A subvolume of btrfs that is mounted as
// such, which its options say, is none less.
func isPart(root, superOptions []byte) bool {
	if string(root) == "/" {
		return false
	}
	for o := range bytes.SplitSeq(superOptions, []byte{','}) {
		if subvolume, ok := bytes.CutPrefix(o, []byte("subvol=")); ok {
			return !bytes.Equal(subvolume, root)
		}
	}
	return true
}

func hasOption(options []byte, want string) bool {
	for o := range bytes.SplitSeq(options, []byte{','}) {
		if string(o) == want {
			return true
		}
	}
	return false
}

// visibleMounts leaves out the mounts that a path no longer leads to, because another one was mounted over them or over a
// directory on the way.
func visibleMounts(mounts []mountLine) []mountLine {
	type place struct{ parent, mountpoint string }
	covered := make(map[place]bool, len(mounts))
	byID := make(map[string]int, len(mounts))
	for i := range mounts {
		m := &mounts[i]
		byID[m.id] = i
		if m.id != m.parent {
			covered[place{m.parent, m.mountpoint}] = true
		}
	}
	// A path leads off course where another mount of the same parent lies on it.
	astray := make([]bool, len(mounts))
	for i := range mounts {
		m := &mounts[i]
		for dir := m.mountpoint; dir != "/" && !astray[i]; {
			dir = path.Dir(dir)
			astray[i] = covered[place{m.parent, dir}]
		}
	}
	var visible []mountLine
	for i := range mounts {
		if covered[place{mounts[i].id, mounts[i].mountpoint}] {
			continue
		}
		at, steps := i, 0
		for !astray[at] && steps <= len(mounts) { // Steps bound a table that leads in a circle.
			parent, ok := byID[mounts[at].parent]
			if !ok || parent == at {
				break
			}
			at = parent
			steps++
		}
		if !astray[at] && steps <= len(mounts) {
			visible = append(visible, mounts[i])
		}
	}
	return visible
}
