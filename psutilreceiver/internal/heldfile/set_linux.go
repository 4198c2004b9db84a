package heldfile

// A Set keeps the files open that each of a series of scans reads, and closes those that a whole scan has not read. One goroutine uses it at a
// time.
type Set struct {
	budget *Budget
	files  map[uint64]setFile
	scan   uint32
}

type setFile struct {
	File
	scan uint32 // in which it was last read
}

// NewSet returns an empty set whose files count for a budget.
func NewSet(budget *Budget) Set { return Set{budget: budget} }

// BeginScan closes what the last scan did not read.
func (s *Set) BeginScan() {
	for key, f := range s.files {
		if f.scan != s.scan {
			s.Drop(key)
		}
	}
	s.scan++
}

// Get returns the descriptor of the file with a key, if it is open.
func (s *Set) Get(key uint64) (fd int, ok bool) {
	f, ok := s.files[key]
	if ok && f.scan != s.scan {
		f.scan = s.scan
		s.files[key] = f
	}
	return f.FD(), ok
}

// Put keeps a descriptor open under a key that has none, and reports false if there is no room for it: then it is still the caller's to close.
func (s *Set) Put(key uint64, fd int) bool {
	f := setFile{scan: s.scan}
	if !s.budget.Keep(&f.File, fd) {
		return false
	}
	if s.files == nil {
		s.files = make(map[uint64]setFile)
	}
	s.files[key] = f
	return true
}

// Drop closes the file with a key, if it is open.
func (s *Set) Drop(key uint64) {
	if f, ok := s.files[key]; ok {
		s.budget.Close(&f.File)
		delete(s.files, key)
	}
}

// Len returns how many files are open.
func (s *Set) Len() int { return len(s.files) }

// Close closes all files. The set may be used again.
func (s *Set) Close() {
	for key := range s.files {
		s.Drop(key)
	}
}
