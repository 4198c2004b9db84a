package host

import (
	"errors"
	"fmt"
	"time"
)

// Mount is an entry of the mount table.
type Mount struct {
	Device     string // what is mounted: a device, a server's export, or a name without meaning
	Mountpoint string // as the host sees it, whatever the root
	Type       string // as the kernel names it: ext4, nfs4, apfs, NTFS…
	ReadOnly   bool   // the filesystem, not this mount of it alone
	// Virtual: the filesystem has no storage of its own, on a device of the host or on a server: kernel interfaces,
	// memory, layers over other filesystems, and images that are full by nature.
	Virtual bool
}

// Space is the space of a filesystem, as it reports it. Used, free and reserved do not overlap and sum to the total.
type Space struct {
	Total    int64 // bytes
	Used     int64 // bytes
	Free     int64 // bytes that any user can take
	Reserved int64 // bytes that are free but for root alone

	Inodes, InodesUsed, InodesFree int64 // -1 where the filesystem does not count them
}

// Filesystem is a mounted filesystem with its space.
type Filesystem struct {
	Mount
	Space
}

// Filesystems reads the space of mounted filesystems, and is never delayed by one that does not answer.
//
// Reading the space of a filesystem can block forever: a server is gone, a FUSE daemon hangs, a disk fails. Nothing can interrupt
// such a call. So a goroutine makes it, at most one for each mount, and never a second one while the first hangs. A read does not wait
// for a mount that took longer than readDeadline before, until it is fast again; its result is taken by the read after it
// came. A mount that took longer than the timeout is stuck until it answers without an error.
type Filesystems struct {
	host    *Host
	include func(*Mount) bool
	timeout time.Duration
	statfs  func(path string) (Space, error)

	table  mountTable
	mounts []*mountState // those to read, in the order of the table
	states map[mountKey]*mountState
	pool   statfsPool
	found  []Filesystem
	health []MountHealth
}

// mountKey identifies a mount.
type mountKey struct{ filesystem, mountpoint string }

// mountEntry is a mount as the platform lists it.
type mountEntry struct {
	Mount
	filesystem string // equal for mounts of the same filesystem, as bind mounts are; empty where that is not known
	path       string // as this process reaches it
	part       bool   // only a part of the filesystem is mounted here
}

// mountState is a mount over the reads.
type mountState struct {
	mountEntry
	listed bool // in the table when it was last read

	results     chan statfsResult // of the one call that may be under way, which never blocks on it
	requestedAt time.Time         // when the call under way began; zero without
	slow        bool              // took longer than readDeadline
	stuck       bool              // took longer than the timeout, and has not answered without an error since
	failed      uint              // answers in a row that were late and an error
	retryAt     time.Time         // no call before this time

	answered bool // since the last read
	space    Space
	err      error
}

const (
	// readDeadline is how long a read waits for all filesystems together. It is well below the second in which a collector has to
	// shut down, and above what a filesystem takes that works.
	readDeadline = 500 * time.Millisecond
	// softDeadline is how long a read waits for one filesystem before it makes the other calls concurrently.
	softDeadline = 10 * time.Millisecond
	// maxBackOff is the longest time between the calls for a mount whose results are late errors.
	maxBackOff = 10 * time.Minute
)

// NewFilesystems returns a reader of the filesystems for which include is true at every read. Automounts are not among them: reading one would
// mount its filesystem.
func NewFilesystems(h *Host, timeout time.Duration, include func(*Mount) bool) *Filesystems {
	return &Filesystems{host: h, include: include, timeout: timeout, statfs: h.statfs, states: make(map[mountKey]*mountState)}
}

// Read gives the space of the filesystems that answered, each once: of its mounts one of all of it counts before bind
// mounts of a part, and then the one with the shortest path.
// Those without any space are left out. Errors of single filesystems are joined beside what could be read; that of a stuck one
// is os.ErrDeadlineExceeded. Now needs a monotonic reading. The slice is valid until the next Read.
func (f *Filesystems) Read(now time.Time) ([]Filesystem, error) {
	err := f.refresh()
	for key, m := range f.states {
		m.answered = false
		m.takeLateResult(now, f.timeout)
		if !m.listed && m.requestedAt.IsZero() {
			delete(f.states, key)
		}
	}
	f.requestAll(now)
	f.found, f.health = f.found[:0], f.health[:0]
	for _, m := range f.mounts {
		problem := m.problem(now, f.timeout)
		f.addHealth(m, problem)
		if problem != nil {
			err = errors.Join(err, fmt.Errorf("reading the filesystem at %s: %w", m.Mountpoint, problem))
		}
		if m.answered && m.err == nil && m.space.Total > 0 {
			f.found = append(f.found, Filesystem{Mount: m.Mount, Space: m.space})
		}
	}
	return f.found, err
}

// Stuck counts the mounts that did not answer in time and have not answered without an error since.
func (f *Filesystems) Stuck() int {
	n := 0
	for _, m := range f.mounts {
		if m.stuck {
			n++
		}
	}
	return n
}

// refresh reads the mount table. What is known of a mount is kept after it has left the table while a call to it hangs, so that there is
// no second call when it is back.
func (f *Filesystems) refresh() error {
	entries, changed, err := f.table.list(f.host)
	if err != nil || !changed {
		return err
	}
	for _, m := range f.states {
		m.listed = false
	}
	f.mounts = f.mounts[:0]
	for _, e := range f.selectMounts(entries) {
		key := mountKey{e.filesystem, e.Mountpoint}
		m, ok := f.states[key]
		if !ok {
			m = &mountState{results: make(chan statfsResult, 1)}
			f.states[key] = m
		}
		m.mountEntry, m.listed = *e, true
		f.mounts = append(f.mounts, m)
	}
	return nil
}

// selectMounts returns the included entries, one for each filesystem.
func (f *Filesystems) selectMounts(entries []mountEntry) []*mountEntry {
	var selected []*mountEntry
	place := make(map[string]int) // by filesystem, in selected
	for i := range entries {
		e := &entries[i]
		if e.Type == "autofs" || !f.include(&e.Mount) {
			continue
		}
		at, ok := place[e.filesystem]
		switch {
		case !ok || e.filesystem == "":
			place[e.filesystem] = len(selected)
			selected = append(selected, e)
		case standsBefore(e, selected[at]):
			selected[at] = e
		}
	}
	return selected
}

// standsBefore tells which of two mounts stands for their filesystem: one of all of it before one of a part, then the shorter path.
func standsBefore(a, b *mountEntry) bool {
	if a.part != b.part {
		return b.part
	}
	return len(a.Mountpoint) < len(b.Mountpoint) || len(a.Mountpoint) == len(b.Mountpoint) && a.Mountpoint < b.Mountpoint
}
