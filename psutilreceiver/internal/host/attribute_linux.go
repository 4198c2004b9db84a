package host

import (
	"bytes"
	"errors"

	"golang.org/x/sys/unix"
)

// attributeSize is more than any file that holds one value has.
const attributeSize = 256

// attribute is a file of sysfs or procfs that holds one short value.
type attribute struct {
	path string // as this process opens it
	buf  [attributeSize]byte
}

func (h *Host) attribute(name string) attribute { return attribute{path: h.Path(name)} }

// read gives the value without the blanks around it, valid until the next read. One read is enough: the kernel gives such a file
// as a whole. The error is a bare errno, because a driver that does not know its answer gives one at every scrape.
func (a *attribute) read() ([]byte, error) {
	fd, err := openRetry(a.path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = unix.Close(fd) }()
	for {
		n, err := unix.Read(fd, a.buf[:])
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil || n < 0 {
			return nil, err
		}
		return bytes.TrimSpace(a.buf[:n]), nil
	}
}

// number reads a decimal number; -1 where there is none, which is what a file that is missing, or a driver that does not know,
// means.
func (a *attribute) number() int64 {
	text, err := a.read()
	if err != nil {
		return absent
	}
	v, ok := intOf(text)
	if !ok {
		return absent
	}
	return v
}

// exists tells whether there is a file at name below the root.
func (h *Host) exists(name string) bool {
	var st unix.Stat_t
	return unix.Stat(h.Path(name), &st) == nil
}
