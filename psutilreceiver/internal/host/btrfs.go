package host

import (
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/proctext"
)

// Btrfs is one btrfs filesystem that is mounted, on all of its devices. A number is -1 where the kernel does not report it, Odd where it could not be
// read.
type Btrfs struct {
	UUID, Label string
	Devices     []BtrfsDevice
	Missing     int64 // devices that are missing
	// Unallocated is the space of the devices that is allocated to no kind, in bytes; -1 while devices are missing.
	Unallocated                   int64
	Data, Metadata, System, Mixed BtrfsAllocation
}

// BtrfsDevice is a device of a filesystem, with the errors that the filesystem keeps of it. They outlive a restart.
type BtrfsDevice struct {
	Number                                     int64  // in the filesystem
	Key                                        string // unique on the host
	Write, Read, Flush, Corruption, Generation int64
}

// BtrfsAllocation is the space that is allocated to one kind of data, in bytes: what data it can hold, whatever copies there are of it.
type BtrfsAllocation struct{ Total, Used int64 }

func (d *BtrfsDevice) fieldOf(key []byte) *int64 {
	switch string(key) {
	case "write_errs":
		return &d.Write
	case "read_errs":
		return &d.Read
	case "flush_errs":
		return &d.Flush
	case "corruption_errs":
		return &d.Corruption
	case "generation_errs":
		return &d.Generation
	}
	return nil
}

// parseErrorStats reads lines such as: write_errs 0. A device of which the filesystem has no statistics says: invalid.
func (d *BtrfsDevice) parseErrorStats(file string, text []byte) error {
	d.Write, d.Read, d.Flush, d.Corruption, d.Generation = absent, absent, absent, absent, absent
	odd := oddValues{file: file}
	known := string(text) == "invalid"
	for rest := text; len(rest) > 0; {
		var l []byte
		l, rest = proctext.Line(rest)
		key, number := proctext.Field(l)
		dst := d.fieldOf(key)
		if dst == nil {
			continue
		}
		known = true
		number, _ = proctext.Field(number)
		v, ok := proctext.Int(number)
		if !ok {
			odd.add(l)
			v = Odd
		}
		*dst = v
	}
	if !known {
		return malformed(file, text)
	}
	return odd.err
}
