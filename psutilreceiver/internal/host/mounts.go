package host

// MountPoint is an entry of the mount table, without what reading its space would tell.
type MountPoint struct {
	Mount
	// Filesystem is equal for mounts of one filesystem; empty where that is not known.
	Filesystem string
	// Part tells that only a directory, or a file, of the filesystem is mounted here.
	Part bool
}

// Mounts reads the mount table alone. Unlike [Filesystems] it asks no filesystem for anything, and so can't hang on one.
type Mounts struct {
	host  *Host
	table mountTable
}

// NewMounts returns a reader of the mount table of a host.
func NewMounts(h *Host) *Mounts { return &Mounts{host: h} }

// Read gives the mounts, and whether they may have changed since the last read; if not, there are none in the answer.
func (m *Mounts) Read() (mounts []MountPoint, changed bool, err error) {
	entries, changed, err := m.table.list(m.host)
	if err != nil || !changed {
		return nil, false, err
	}
	mounts = make([]MountPoint, len(entries))
	for i := range entries {
		mounts[i] = MountPoint{Mount: entries[i].Mount, Filesystem: entries[i].filesystem, Part: entries[i].part}
	}
	return mounts, true, nil
}
