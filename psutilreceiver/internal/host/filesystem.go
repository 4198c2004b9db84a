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
	ReadOnly   bool
	// Virtual tells that the filesystem has no storage of its own, on a device of the host or on a server: kernel interfaces,
	// memory, layers over other filesystems, and images that are full by nature.
	Virtual bool
}

// Space is what a filesystem says of itself. Used, free and reserved do not overlap and sum to the total.
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

// Filesystems reads the space of mounted filesystems, and is never held up by one that does not answer.
//
// To ask a filesystem for its space can block for ever: a server is gone, a FUSE daemon hangs, a disk fails. Nothing can break
// such a call off. So it is made in a goroutine that it may keep until it answers, at most one a mount, never a second while the
// first hangs. A mount that took longer than patience is not waited for from then on, until it is prompt again; its answer is
// taken at the read after it came. One that took longer than the timeout is stuck until it answers well.
type Filesystems struct {
	host    *Host
	want    func(*Mount) bool
	timeout time.Duration
	statfs  func(path string) (Space, error)

	table  mountTable
	mounts []*mountState // those to read, in the order of the table
	states map[mountKey]*mountState
	asker  asker
	found  []Filesystem
}

// mountKey tells one mount from another.
type mountKey struct{ filesystem, mountpoint string }

// mountEntry is a mount as the platform lists it.
type mountEntry struct {
	Mount
	filesystem string // equal for mounts of the same filesystem, as bind mounts are; empty where that is not known
	path       string // as this process reaches it
}

// mountState is a mount over the reads.
type mountState struct {
	mountEntry
	listed bool // in the table when it was last read

	answers chan spaceAnswer // of the one call that may be under way; has room for it
	asked   time.Time        // when the call under way began; zero without
	slow    bool             // took longer than patience
	stuck   bool             // took longer than the timeout, and has not answered well since
	failed  uint             // answers in a row that were late and an error
	retryAt time.Time        // not to be asked before

	answered bool // since the last read
	space    Space
	err      error
}

const (
	// patience is how long a read waits for all filesystems together. It is well below the second in which a collector has to
	// shut down, and above what a filesystem takes that is well.
	patience = 500 * time.Millisecond
	// promptness is how long a read waits for one filesystem before it asks the others beside it.
	promptness = 10 * time.Millisecond
	// maxBackOff is the longest that a mount is left alone whose answers are late errors.
	maxBackOff = 10 * time.Minute
)

// NewFilesystems returns a reader of the filesystems for which want is true, always. Automounts are not offered to it: to read one would
// mount what it stands for.
func NewFilesystems(h *Host, timeout time.Duration, want func(*Mount) bool) *Filesystems {
	return &Filesystems{host: h, want: want, timeout: timeout, statfs: statfs, states: make(map[mountKey]*mountState)}
}

// Read gives the space of the filesystems that answered, each once: of its bind mounts the one with the shortest path counts.
// Those without any space are left out. Errors of single filesystems are joined beside what could be read; that of a stuck one
// is os.ErrDeadlineExceeded. Now needs a monotonic reading. The slice is valid until the next Read.
func (f *Filesystems) Read(now time.Time) ([]Filesystem, error) {
	err := f.refresh()
	for key, m := range f.states {
		m.answered = false
		m.takeLate(now, f.timeout)
		if !m.listed && m.asked.IsZero() {
			delete(f.states, key)
		}
	}
	f.askAll(now)
	f.found = f.found[:0]
	for _, m := range f.mounts {
		if problem := m.judge(now, f.timeout); problem != nil {
			err = errors.Join(err, fmt.Errorf("reading the filesystem at %s: %w", m.Mountpoint, problem))
		}
		if m.answered && m.err == nil && m.space.Total > 0 {
			f.found = append(f.found, Filesystem{Mount: m.Mount, Space: m.space})
		}
	}
	return f.found, err
}

// Stuck counts the mounts that did not answer in time and have not answered well since.
func (f *Filesystems) Stuck() int {
	n := 0
	for _, m := range f.mounts {
		if m.stuck {
			n++
		}
	}
	return n
}

// refresh follows the mount table. What is known of a mount outlives its place in the table while a call to it hangs, so that it
// is not asked twice when it is back.
func (f *Filesystems) refresh() error {
	entries, changed, err := f.table.list(f.host)
	if err != nil || !changed {
		return err
	}
	for _, m := range f.states {
		m.listed = false
	}
	f.mounts = f.mounts[:0]
	for _, e := range f.choose(entries) {
		key := mountKey{e.filesystem, e.Mountpoint}
		m, ok := f.states[key]
		if !ok {
			m = &mountState{answers: make(chan spaceAnswer, 1)}
			f.states[key] = m
		}
		m.mountEntry, m.listed = *e, true
		f.mounts = append(f.mounts, m)
	}
	return nil
}

// choose gives those entries that are wanted, one for each filesystem.
func (f *Filesystems) choose(entries []mountEntry) []*mountEntry {
	var chosen []*mountEntry
	place := make(map[string]int) // by filesystem, in chosen
	for i := range entries {
		e := &entries[i]
		if e.Type == "autofs" || !f.want(&e.Mount) {
			continue
		}
		at, ok := place[e.filesystem]
		switch {
		case !ok || e.filesystem == "":
			place[e.filesystem] = len(chosen)
			chosen = append(chosen, e)
		case isShorter(e.Mountpoint, chosen[at].Mountpoint):
			chosen[at] = e
		}
	}
	return chosen
}

func isShorter(a, b string) bool { return len(a) < len(b) || len(a) == len(b) && a < b }
