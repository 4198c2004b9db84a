package host

// Disk is one block device at one moment. Totals count since the device appeared. A value is -1 where the platform does not
// report it. On Linux the values are fields of a line of /proc/diskstats.
type Disk struct {
	Name string
	Kind DiskKind
	// Identity changes when another device, with totals of its own, takes the name. On Linux it is made of the device number and,
	// since 5.15, the diskseq of sysfs; 0 where the platform has nothing of the kind.
	Identity uint64

	Reads, Writes             int64 // operations completed: fields 4 and 8
	ReadsMerged, WritesMerged int64 // operations merged with a neighbour before: fields 5 and 9
	ReadBytes, WrittenBytes   int64 // fields 6 and 10, which count sectors of 512 bytes whatever the device's own size
	InFlight                  int64 // operations at this moment: field 12

	// Seconds. On Linux fields 7, 11, 13 and 14, which the kernel keeps in 32 bits of milliseconds: a wrap after 49.7 days is
	// undone here.
	ReadTime, WriteTime float64 // what each operation took, summed
	IOTime              float64 // with any operation in flight
	WeightedIOTime      float64 // times the operations in flight

	Size int64 // bytes; 0 without a medium
}

// DiskKind says which block devices to add up: the whole ones are the host's I/O, each of the others shows some of it again.
type DiskKind uint8

const (
	// DiskWhole is a device that is not built on another one of the host.
	DiskWhole DiskKind = iota
	// DiskPartition is a part of another device.
	DiskPartition
	// DiskStacked is made of other devices: device mapper, RAID, bcache, ZFS volumes.
	DiskStacked
	// DiskPath is one of the paths to a device that is listed itself (NVMe multipath).
	DiskPath
	// DiskVirtual lives in a file or in memory: loop, ram, zram.
	DiskVirtual
)

// Disks reads the block devices of a host, and remembers of each what it takes to distinguish it from a later one and to undo the wraps
// of its counters.
type Disks struct {
	host    *Host
	include func(name string, kind DiskKind) bool
	disks   []Disk
	diskMemory
}

// NewDisks returns a reader of the block devices for which include is true at every read.
func NewDisks(h *Host, include func(name string, kind DiskKind) bool) *Disks {
	return &Disks{host: h, include: include}
}
