package host

import (
	"bytes"
	"errors"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/proctext"
)

// diskLine is a line of /proc/diskstats.
type diskLine struct {
	major, minor         int64
	name                 []byte
	reads, readsMerged   int64
	sectorsRead          int64
	writes, writesMerged int64
	sectorsWritten       int64
	inFlight             int64
	millis               [4]int64 // reading, writing, busy, weighted
}

// errOtherLine is a line that is right but has no totals.
var errOtherLine = errors.New("line of another kind")

// parseDiskLine reads major, minor and name, and the eleven numbers of Documentation/admin-guide/iostats.rst. Kernels since 4.18
// add four for discards, since 5.5 two for flushes, which are skipped; before 2.6.25 the line of a partition had four in all.
// A value that can't be is Odd, and noted.
func parseDiskLine(l []byte, odd *oddValues) (diskLine, error) {
	var s diskLine
	var f []byte
	whole := l
	var numbers [11]int64
	var ok1, ok2 bool
	f, l = proctext.Field(l)
	s.major, ok1 = proctext.Int(f)
	f, l = proctext.Field(l)
	s.minor, ok2 = proctext.Int(f)
	s.name, l = proctext.Field(l)
	if len(s.name) == 0 && len(bytes.TrimSpace(whole)) == 0 {
		return s, errOtherLine
	}
	if !ok1 || !ok2 || len(s.name) == 0 || s.major >= 1<<12 || s.minor >= 1<<20 {
		return diskLine{}, malformed(diskstatsFile, whole)
	}
	count, numeric := 0, 0
	for l = bytes.TrimPrefix(l, []byte{' '}); count < len(numbers); count++ {
		var ok bool
		if f, l, ok = proctext.Column(l); !ok {
			break
		}
		v, ok := proctext.Int(f)
		if ok && (count != 2 && count != 6 || v <= maxSectors) {
			numbers[count] = v
			numeric++
		} else {
			numbers[count] = Odd
		}
	}
	if count == 4 {
		return diskLine{}, errOtherLine
	}
	if count < len(numbers) || numeric < len(numbers)/2 {
		return diskLine{}, malformed(diskstatsFile, whole)
	}
	if numeric < len(numbers) {
		odd.add(whole)
	}
	s.reads, s.readsMerged, s.sectorsRead = numbers[0], numbers[1], numbers[2]
	s.writes, s.writesMerged, s.sectorsWritten = numbers[4], numbers[5], numbers[6]
	s.inFlight = numbers[8]
	s.millis = [4]int64{numbers[3], numbers[7], numbers[9], numbers[10]}
	return s, nil
}

func (s *diskLine) device() uint64 { return uint64(s.major)<<20 | uint64(s.minor) }

// totals are the counters that the kernel keeps in words, which begin at 0 with the device.
func (s *diskLine) totals() [6]int64 {
	return [...]int64{s.reads, s.readsMerged, s.sectorsRead, s.writes, s.writesMerged, s.sectorsWritten}
}

// idle tells whether the device has never done anything.
func (s *diskLine) idle() bool { return s.reads == 0 && s.writes == 0 && s.inFlight == 0 }

// diskKind finds out what a device is by what sysfs has about it, and, where the root has no sysfs, by its name. Dir is its name in
// sysfs, text all of /proc/diskstats.
func (h *Host) diskKind(dir string, name, text []byte) DiskKind {
	switch {
	case hasNumberedName(name, "loop") || hasNumberedName(name, "ram") || hasNumberedName(name, "zram"):
		return DiskVirtual
	case hasNumberedName(name, "zd"):
		return DiskStacked // A volume of a ZFS pool, which sysfs does not connect with the pool's devices.
	case h.exists("sys/class/block/" + dir + "/partition"):
		return DiskPartition
	case !h.exists("sys/block/" + dir):
		return diskKindByName(name, text)
	case isStackedByName(name):
		return DiskStacked
	}
	if slaves := h.dir.ReadDir(h.Path("sys/block/" + dir + "/slaves")); len(slaves) > 0 {
		return DiskStacked
	}
	if head := headOfPath(name); head != "" && h.numberAt("sys/block/"+dir+"/hidden") == 1 {
		// Before 6.4 the kernel counts nothing for the head, which iostats shows. Then the paths are where the I/O shows.
		if h.numberAt("sys/block/"+head+"/queue/iostats") > 0 {
			return DiskPath
		}
	}
	return DiskWhole
}

// headOfPath gives nvme0n1 for its path nvme0c2n1; empty for other names.
func headOfPath(name []byte) string {
	controller, rest, ok := bytes.Cut(name, []byte("c"))
	if !ok || !hasNumberedName(controller, "nvme") {
		return ""
	}
	path, namespace, ok := bytes.Cut(rest, []byte("n"))
	if !ok || !isNumber(path) || !isNumber(namespace) {
		return ""
	}
	return string(controller) + "n" + string(namespace)
}

// diskKindByName uses the kernel's rules for names: a partition is the name of a listed device followed by its number, with a p
// between where the device's name ends in a digit.
func diskKindByName(name, text []byte) DiskKind {
	if isStackedByName(name) {
		return DiskStacked
	}
	whole := bytes.TrimRight(name, "0123456789")
	if len(whole) < len(name) && isStackedByName(whole) {
		return DiskPartition
	}
	if len(whole) == len(name) || len(whole) == 0 {
		return DiskWhole
	}
	if before := whole[:len(whole)-1]; whole[len(whole)-1] == 'p' && len(before) > 0 && isDigit(before[len(before)-1]) {
		whole = before
	}
	for len(text) > 0 {
		var l []byte
		l, text = proctext.Line(text)
		if s, err := parseDiskLine(l, new(oddValues)); err == nil && bytes.Equal(s.name, whole) {
			return DiskPartition
		}
	}
	return DiskWhole
}

// isStackedByName tells by its name that a device is made of others. Not all have them among their slaves in sysfs: DRBD has not, nor have the
// devices that vendors' drivers put above the paths to a storage array, which are EMC PowerPath, IBM SDD, Hitachi HDLM and Veritas DMP.
func isStackedByName(name []byte) bool {
	for _, prefix := range [...]string{"dm-", "bcache", "drbd", "md"} {
		if hasNumberedName(name, prefix) {
			return true
		}
	}
	for _, prefix := range [...]string{"emcpower", "vpath", "sddlm"} {
		if rest, ok := bytes.CutPrefix(name, []byte(prefix)); ok && len(rest) > 0 && isLetters(rest) {
			return true
		}
	}
	return bytes.HasPrefix(name, []byte("md_")) || bytes.HasPrefix(name, []byte("VxDMP")) || bytes.HasPrefix(name, []byte("VxVM"))
}

func isLetters(b []byte) bool {
	for _, c := range b {
		if c < 'a' || c > 'z' {
			return false
		}
	}
	return true
}

func hasNumberedName(name []byte, prefix string) bool {
	return bytes.HasPrefix(name, []byte(prefix)) && isNumber(name[len(prefix):])
}

func isNumber(b []byte) bool {
	for _, c := range b {
		if !isDigit(c) {
			return false
		}
	}
	return len(b) > 0
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
