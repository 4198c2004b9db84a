//go:build !linux

package host

import (
	"context"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/shirou/gopsutil/v3/disk"
)

// diskMemory is empty: there are no wraps to undo.
type diskMemory struct{}

// Read gives the included devices by name. On Windows they are the fixed volumes, elsewhere the whole disks; sizes, merged
// operations and identities are not known. The slice is valid until the next Read.
func (d *Disks) Read(time.Time) ([]Disk, error) {
	d.disks = d.disks[:0]
	counters, err := disk.IOCountersWithContext(context.Background())
	if err != nil {
		return nil, portable("reading the disks", err)
	}
	for name, c := range counters {
		if d.include(name, DiskWhole) {
			d.disks = append(d.disks, diskOf(name, &c))
		}
	}
	slices.SortFunc(d.disks, func(a, b Disk) int { return strings.Compare(a.Name, b.Name) })
	return d.disks, nil
}

// noDisk is a device of which nothing is known.
var noDisk = Disk{
	Reads: absent, Writes: absent, ReadsMerged: absent, WritesMerged: absent, ReadBytes: absent, WrittenBytes: absent, InFlight: absent,
	ReadTime: absent, WriteTime: absent, IOTime: absent, WeightedIOTime: absent, Size: absent,
}

// Close does nothing: no file is kept open.
func (d *Disks) Close() error { return nil }

func diskOf(name string, c *disk.IOCountersStat) Disk {
	const milliseconds = 1000
	k := noDisk
	k.Name = name
	k.Reads, k.Writes = bytesOf(c.ReadCount), bytesOf(c.WriteCount)
	k.ReadBytes, k.WrittenBytes = bytesOf(c.ReadBytes), bytesOf(c.WriteBytes)
	switch runtime.GOOS {
	case "windows": // Gopsutil divides the times down to whole seconds.
		k.ReadTime, k.WriteTime = float64(c.ReadTime), float64(c.WriteTime)
	case "darwin": // What gopsutil gives as the busy time is the sum of the other two.
		k.ReadTime, k.WriteTime = float64(c.ReadTime)/milliseconds, float64(c.WriteTime)/milliseconds
	case "freebsd":
		k.ReadTime, k.WriteTime = float64(c.ReadTime)/milliseconds, float64(c.WriteTime)/milliseconds
		k.IOTime = float64(c.IoTime) / milliseconds
		k.InFlight = bytesOf(c.IopsInProgress)
	}
	return k
}
