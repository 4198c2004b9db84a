package read

import "bytes"

// commSize is enough for every comm: 15 bytes for a process, 63 for the decorated name of a kernel worker.
const commSize = 64

// Comm returns the kernel's name of the process: stat comm (2). It allocates.
func (s *Sample) Comm() string { return string(s.comm[:s.commLen]) }

// SetComm sets the kernel's name of the process, cut to the 64 bytes that are kept.
func (s *Sample) SetComm(name string) { s.commLen = uint8(copy(s.comm[:], name)) }

// SetCommBytes sets the kernel's name of the process, without the current work of a kernel worker, from bytes that nothing is escaped in.
func (s *Sample) SetCommBytes(name []byte) {
	s.commLen = uint8(copy(s.comm[:], name))
	if s.KernelThread {
		s.commLen = uint8(workerName(s.comm[:s.commLen]))
	}
}

// HasComm tells whether the kernel's name of the process is the given one, without allocating.
func (s *Sample) HasComm(name string) bool { return string(s.comm[:s.commLen]) == name }

// workerName returns the length of a kernel thread's name without its current work, which the kernel appends to the name of a worker after
// "-" or "+" and which changes all the time: kworker/u8:2-flush-254:0. The name of a rescuer, kworker/R-…, has no such part.
func workerName(comm []byte) int {
	if bytes.HasPrefix(comm, []byte("kworker/")) && !bytes.HasPrefix(comm, []byte("kworker/R-")) {
		if i := bytes.IndexAny(comm, "-+"); i >= 0 {
			return i
		}
	}
	return len(comm)
}

// lastBracket returns the index of the last closing bracket, -1 if there is none. Forward searches, of which there are two for all but odd names,
// look at many bytes at once; bytes.LastIndexByte does not.
func lastBracket(text []byte) int {
	last := -1
	for {
		i := bytes.IndexByte(text[last+1:], ')')
		if i < 0 {
			return last
		}
		last += i + 1
	}
}

// unescapeComm copies a comm and undoes what the kernel escapes in it, newline and backslash. It returns the length in dst.
func unescapeComm(dst, src []byte) int {
	n := 0
	for i := 0; i < len(src) && n < len(dst); i++ {
		c := src[i]
		if c == '\\' && i+1 < len(src) {
			switch src[i+1] {
			case 'n':
				c, i = '\n', i+1
			case '\\':
				i++
			}
		}
		dst[n] = c
		n++
	}
	return n
}
