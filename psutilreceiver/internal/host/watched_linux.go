package host

// watchedDirectory tells when the directories in one of the kernel's are to be listed again. A directory of procfs or sysfs has a link for each
// directory in it, so that one look at it shows most changes; the rest is seen after rediscoverAfter reads, and so is a directory that was not there.
type watchedDirectory struct {
	path   string // as this process opens it
	listed bool
	there  bool
	links  uint64
	age    int // reads since it was listed
}

// isDue tells whether to list the directory, and takes it for listed then.
func (w *watchedDirectory) isDue(h *Host) bool {
	w.age++
	if w.listed && w.age < rediscoverAfter {
		if !w.there {
			return false
		}
		if st, err := h.dir.Stat(w.path); err == nil && uint64(st.Nlink) == w.links { //nolint:unconvert // It has 32 bits on arm64.
			return false
		}
	}
	st, err := h.dir.Stat(w.path)
	w.listed, w.there, w.links, w.age = true, err == nil, uint64(st.Nlink), 0 //nolint:unconvert // The same.
	return true
}

// forget makes the directory due at the next read.
func (w *watchedDirectory) forget() { w.listed = false }
