package host

import (
	"bytes"
	"cmp"
	"errors"
	"math"
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/proctext"
)

const diskstatsFile = "proc/diskstats"

const (
	sectorSize = 512
	maxSectors = math.MaxInt64 / sectorSize
)

// diskMemory is what is known of the devices, by name.
type diskMemory struct {
	known map[string]*knownDisk
	files sysfsReader
	reads uint64    // number of this read
	last  time.Time // instant of the last one
}

// knownDisk is one device over the reads.
type knownDisk struct {
	name      string
	device    uint64 // major and minor number
	included  bool
	kind      DiskKind
	removable bool
	dir       string // in sysfs, as this process opens it
	diskseq   sysfsFile
	size      sysfsFile
	seq       int64  // last diskseq; -1 where the kernel has none
	inode     uint64 // of dir, at that diskseq
	since     int64  // diskseq at which the totals began
	last      [6]int64
	times     [4]wrapping
	lastRead  uint64
	reported  bool
}

// Read gives the included devices in the order of /proc/diskstats. Those that have never done anything are left out where no medium
// is in them: the sixteen idle nbd, a drive for discs, of which the kernel makes up the size. Now must have a monotonic reading: it
// tells what can be a wrap. Lines that can't be parsed are an error beside the devices that can. The slice is valid until the next
// Read.
func (d *Disks) Read(now time.Time) ([]Disk, error) {
	d.disks = d.disks[:0]
	text, err := d.host.readHeld(diskstatsFile)
	if err != nil {
		return nil, optional(err)
	}
	elapsed := now.Sub(d.last)
	d.last = now
	d.reads++
	var bad error
	odd := oddValues{file: diskstatsFile}
	for rest := text; len(rest) > 0; {
		var l []byte
		l, rest = proctext.Line(rest)
		s, err := parseDiskLine(l, &odd)
		switch {
		case errors.Is(err, errOtherLine):
		case err != nil:
			bad = err
		default:
			d.add(&s, text, elapsed)
		}
	}
	for name, k := range d.known {
		if k.lastRead != d.reads {
			d.remove(name, k)
		}
	}
	return d.disks, cmp.Or(bad, odd.err)
}

// Close closes the files that are kept open. Read must not be called afterwards.
func (d *Disks) Close() error {
	for name, k := range d.known {
		d.remove(name, k)
	}
	return nil
}

func (d *Disks) remove(name string, k *knownDisk) {
	d.files.close(&k.diskseq, &k.size)
	delete(d.known, name)
}

func (d *Disks) add(s *diskLine, text []byte, elapsed time.Duration) {
	k, ok := d.known[string(s.name)]
	if ok && k.lastRead == d.reads {
		return // A second line of the name.
	}
	if !ok || k.device != s.device() {
		if ok {
			d.remove(k.name, k)
		}
		k = d.lookUp(s, text)
	}
	k.lastRead = d.reads
	if !k.included {
		return
	}
	d.identify(k, s)
	disk := k.sample(s, elapsed)
	if sectors := d.files.number(&k.size); sectors >= 0 && sectors <= maxSectors {
		disk.Size = sectors * sectorSize
	}
	if !k.reported && s.idle() && (disk.Size == 0 || k.removable) {
		return
	}
	k.reported = true
	d.disks = append(d.disks, disk)
}

// lookUp reads what is known of a device that was not there before.
func (d *Disks) lookUp(s *diskLine, text []byte) *knownDisk {
	if d.known == nil {
		d.known, d.files = make(map[string]*knownDisk), newSysfsReader(d.host.dir)
	}
	name := string(s.name)
	// Sysfs writes the slash within names such as cciss/c0d0 as an exclamation mark.
	dir := string(bytes.ReplaceAll(s.name, []byte("/"), []byte("!")))
	k := &knownDisk{name: name, device: s.device(), kind: d.host.diskKind(dir, s.name, text)}
	if k.included = d.include(name, k.kind); k.included {
		k.dir = d.host.Path("sys/class/block/" + dir)
		k.size.path = k.dir + "/size"
		k.diskseq.path = k.dir + "/diskseq"
		if k.kind == DiskPartition {
			k.diskseq.path = k.dir + "/../diskseq" // Of the whole device; the kernel, unlike path/filepath, follows the link first.
		}
		k.removable = d.host.numberAt("sys/class/block/"+dir+"/removable") == 1
		k.seq, k.inode = d.files.number(&k.diskseq), d.host.inode(k.dir)
		k.since = k.seq
	}
	d.known[name] = k
	return k
}

// identify finds out whether this is still the device of the last read. A new diskseq means a new device, or another medium
// in the old one, whose totals continue: then they do not fall, and sysfs still shows the same directory. No diskseq means that the device
// has just been removed.
func (d *Disks) identify(k *knownDisk, s *diskLine) {
	totals := s.totals()
	if seq := d.files.number(&k.diskseq); seq >= 0 && seq != k.seq {
		k.seq = seq
		was := k.inode
		k.inode = d.host.inode(k.dir)
		if k.inode != was || anyFell(k.last, totals) {
			k.since = seq
			k.times = [4]wrapping{}
		}
	}
	for i, v := range totals {
		if v >= 0 {
			k.last[i] = v
		}
	}
}

func anyFell(last, now [6]int64) bool {
	for i, v := range now {
		if v >= 0 && v < last[i] {
			return true
		}
	}
	return false
}

// inode identifies a directory of sysfs: the kernel gives each that it makes a number of its own. 0 where there is none.
func (h *Host) inode(path string) uint64 {
	st, _ := h.dir.Stat(path)
	return st.Ino
}

func (k *knownDisk) sample(s *diskLine, elapsed time.Duration) Disk {
	disk := Disk{
		Name:         k.name,
		Kind:         k.kind,
		Identity:     k.device<<32 | uint64(uint32(max(k.since, 0))),
		Reads:        s.reads,
		Writes:       s.writes,
		ReadsMerged:  s.readsMerged,
		WritesMerged: s.writesMerged,
		ReadBytes:    bytesOf(s.sectorsRead),
		WrittenBytes: bytesOf(s.sectorsWritten),
		InFlight:     s.inFlight,
		Size:         absent,
	}
	disk.ReadTime = k.times[0].seconds(s.millis[0], elapsed)
	disk.WriteTime = k.times[1].seconds(s.millis[1], elapsed)
	disk.IOTime = k.times[2].seconds(s.millis[2], elapsed)
	disk.WeightedIOTime = k.times[3].seconds(s.millis[3], elapsed)
	return disk
}

func bytesOf(sectors int64) int64 {
	if sectors < 0 {
		return Odd
	}
	return sectors * sectorSize
}

// maxInFlight is how many operations a device works at, at most, for one of the times to grow by as many milliseconds in a
// millisecond. Real devices stay far below it on average.
const maxInFlight = 1024

// seconds continues the counter with its next value in milliseconds, which can have grown so far in the time that has passed.
func (w *wrapping) seconds(millis int64, elapsed time.Duration) float64 {
	if millis < 0 {
		return Odd
	}
	return float64(w.next(millis, min(max(elapsed.Milliseconds(), 0), wrapAt/2/maxInFlight)*maxInFlight)) / 1000
}
