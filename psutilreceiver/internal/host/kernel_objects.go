package host

import (
	"bytes"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/proctext"
)

const (
	entropyFile     = "proc/sys/kernel/random/entropy_avail"
	inodeStateFile  = "proc/sys/fs/inode-state"
	dentryStateFile = "proc/sys/fs/dentry-state"
)

// Entropy gives the bits of entropy that the random number generator has, from /proc/sys/kernel/random/entropy_avail. ErrUnsupported on other systems
// than Linux.
func (h *Host) Entropy() (int64, error) {
	text, err := h.readHeld(entropyFile)
	if err != nil {
		return absent, optional(err)
	}
	number, _ := proctext.Field(text)
	const most = 1 << 20
	v, ok := proctext.Int(number)
	if !ok || v > most {
		return Odd, oddText(entropyFile, text)
	}
	return v, nil
}

// Inodes is how many inodes the kernel holds in memory. A value is Odd where it can't be.
type Inodes struct {
	Count, Free int64
}

// Inodes gives the inodes in memory, from /proc/sys/fs/inode-state. ErrUnsupported on other systems than Linux.
func (h *Host) Inodes() (Inodes, error) {
	var i Inodes
	err := h.tabbedNumbers(inodeStateFile, &i.Count, &i.Free)
	return i, err
}

// Dentries is how many directory entries the kernel holds in memory. A value is Odd where it can't be.
type Dentries struct {
	Count, Unused int64
	Negative      int64 // of names that do not exist; 0 before Linux 5.0
}

// Dentries gives the directory entries in memory, from /proc/sys/fs/dentry-state. ErrUnsupported on other systems than Linux.
func (h *Host) Dentries() (Dentries, error) {
	var d Dentries
	err := h.tabbedNumbers(dentryStateFile, &d.Count, &d.Unused, nil, nil, &d.Negative)
	return d, err
}

// tabbedNumbers reads the first numbers of a line, with tabs between, into places of which nil ones are passed over.
func (h *Host) tabbedNumbers(file string, places ...*int64) error {
	text, err := h.readHeld(file)
	if err != nil {
		return optional(err)
	}
	return parseTabbed(file, text, places...)
}

func parseTabbed(file string, text []byte, places ...*int64) error {
	line, _ := proctext.Line(text)
	odd := oddValues{file: file}
	known := false
	for _, place := range places {
		var number []byte
		number, line, _ = bytes.Cut(line, []byte{'\t'})
		if place == nil {
			continue
		}
		v, ok := proctext.Int(number)
		if !ok {
			odd.add(text)
			v = Odd
		}
		*place, known = v, known || ok
	}
	if !known {
		return malformed(file, text)
	}
	return odd.err
}
