//go:build !linux

package host

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/shirou/gopsutil/v3/disk"
)

// mountTable lists the mounts in a goroutine of its own, since the system may look into each of them for that and hang.
type mountTable struct {
	pending chan mountList // of the listing under way; nil without
	entries []mountEntry
}

type mountList struct {
	partitions []disk.PartitionStat
	err        error
}

// list gives the mounts. While the system has not answered, the error is os.ErrDeadlineExceeded, and the mounts of the last listing remain.
func (t *mountTable) list(*Host) (entries []mountEntry, changed bool, err error) {
	if t.pending == nil {
		pending := make(chan mountList, 1)
		t.pending = pending
		go func() {
			partitions, err := disk.PartitionsWithContext(context.Background(), true)
			pending <- mountList{partitions, err}
		}()
	}
	timer := time.NewTimer(readDeadline)
	defer timer.Stop()
	select {
	case l := <-t.pending:
		t.pending = nil
		if l.err != nil && len(l.partitions) == 0 {
			return nil, false, portable("listing the mounts", l.err)
		}
		listed := entriesOf(l.partitions)
		if slices.Equal(listed, t.entries) {
			return t.entries, false, nil
		}
		t.entries = listed
		return listed, true, nil
	case <-timer.C:
		return nil, false, fmt.Errorf("listing the mounts: no answer: %w", os.ErrDeadlineExceeded)
	}
}

func entriesOf(partitions []disk.PartitionStat) []mountEntry {
	entries := make([]mountEntry, 0, len(partitions))
	for _, p := range partitions {
		e := mountEntry{
			Mount: Mount{
				Device: p.Device, Mountpoint: p.Mountpoint, Type: p.Fstype, ReadOnly: slices.Contains(p.Opts, "ro"),
				Virtual: virtualTypes[strings.ToLower(p.Fstype)],
			},
			path: p.Mountpoint,
		}
		if strings.HasPrefix(p.Device, "/dev/") {
			e.filesystem = p.Device
		}
		entries = append(entries, e)
	}
	return entries
}

// statfs reads the space of the filesystem at path. It may block forever.
func (*Host) statfs(path string) (Space, error) {
	u, err := disk.UsageWithContext(context.Background(), path)
	if err != nil {
		return Space{}, portable("reading the filesystem", err)
	}
	// Gopsutil gives as used what is not free for root, and as free what is free for any user.
	// That is below zero on a BSD whose reserve is in use, which shows here as a number above the total.
	notUsed, free := u.Total-min(u.Used, u.Total), u.Free
	if free > u.Total {
		free = 0
	}
	return spaceOf(u.Total, notUsed, free, 1, u.InodesTotal, u.InodesFree), nil
}

// virtualTypes are the filesystem types without storage of their own, in lower case.
var virtualTypes = map[string]bool{
	// Interfaces of the kernel.
	"autofs": true, "devfs": true, "fdesc": true, "fdescfs": true, "kernfs": true, "linprocfs": true, "linsysfs": true, "mqueuefs": true,
	"procfs": true, "ptyfs": true,
	// Memory.
	"mfs": true, "tmpfs": true,
	// Layers over other filesystems.
	"bindfs": true, "nullfs": true, "overlay": true, "unionfs": true,
	// Images.
	"cd9660": true, "cdfs": true,
}
