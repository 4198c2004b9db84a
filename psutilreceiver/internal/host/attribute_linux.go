package host

import (
	"bytes"
	"encoding/binary"
	"errors"

	"golang.org/x/sys/unix"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/proctext"
)

const (
	// attributeSize is more than any file that holds one value has.
	attributeSize = 256
	// maxHeldAttributes bounds the files that one reader keeps open, each of which costs a descriptor and some 5 KiB of kernel
	// memory. It is enough for the links of a few hundred interfaces.
	maxHeldAttributes = 1024
	// attributeShare is the part of the descriptors allowed to this process that one reader may keep.
	attributeShare = 16
)

// attribute is a file of sysfs or procfs that holds one short value, or a directory of such.
type attribute struct {
	path string // as this process opens it
	fd   int    // while it is held
	held bool
}

// attributes reads such files. It keeps those of sysfs open from read to read: to read one again from its beginning is one system
// call where opening, reading and closing it are three and a walk through many directories. A file that is held stays that of its
// device: once that is gone, reading it answers ENODEV, even when the name belongs to another one by then.
type attributes struct {
	room int // how many more can be held
	buf  [attributeSize]byte
}

// newAttributes returns a reader that holds files. The zero one holds none.
func newAttributes() attributes {
	var limit unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &limit) != nil {
		return attributes{}
	}
	return attributes{room: int(min(limit.Cur/attributeShare, maxHeldAttributes))}
}

// read gives the value without the blanks around it, valid until the next read. One read is enough: the kernel gives such a file
// as a whole. The error is a bare errno, because a driver that does not know its answer gives one at every scrape.
func (r *attributes) read(a *attribute) ([]byte, error) {
	if a.held {
		n, err := r.pread(a.fd)
		if !errors.Is(err, unix.ENODEV) {
			return bytes.TrimSpace(r.buf[:n]), err
		}
		r.release(a)
	}
	fd, err := openRetry(a.path)
	if err != nil {
		return nil, err
	}
	n, err := r.pread(fd)
	if r.room > 0 && isSysfs(fd) {
		a.fd, a.held = fd, true
		r.room--
	} else {
		_ = unix.Close(fd)
	}
	return bytes.TrimSpace(r.buf[:n]), err
}

func (r *attributes) pread(fd int) (int, error) {
	for {
		n, err := unix.Pread(fd, r.buf[:], 0)
		if !errors.Is(err, unix.EINTR) {
			return max(n, 0), err
		}
	}
}

// number reads a decimal number; -1 where there is none, which is what a file that is missing, or a driver that does not know,
// means.
func (r *attributes) number(a *attribute) int64 {
	text, err := r.read(a)
	if err != nil {
		return absent
	}
	v, ok := proctext.Int(text)
	if !ok {
		return absent
	}
	return v
}

// release closes the files that are held.
func (r *attributes) release(held ...*attribute) {
	for _, a := range held {
		if a.held {
			_ = unix.Close(a.fd)
			a.held = false
			r.room++
		}
	}
}

// isSysfs tells whether a file belongs to the kernel's sysfs, rather than to a copy of one.
func isSysfs(fd int) bool {
	var st unix.Statfs_t
	return unix.Fstatfs(fd, &st) == nil && st.Type == unix.SYSFS_MAGIC
}

// exists tells whether there is a file at name below the root.
func (h *Host) exists(name string) bool {
	var st unix.Stat_t
	return unix.Stat(h.Path(name), &st) == nil
}

// numberAt reads the decimal number at name below the root, once; -1 where there is none.
func (h *Host) numberAt(name string) int64 {
	var once attributes
	return once.number(&attribute{path: h.Path(name)})
}

// eachInode calls f with the names in the directory, which is kept open like a file that is, and the numbers of their inodes.
func (r *attributes) eachInode(dir *attribute, buf []byte, f func(name []byte, inode uint64)) error {
	if dir.held {
		if _, err := unix.Seek(dir.fd, 0, unix.SEEK_SET); err == nil {
			return eachInodeIn(dir.fd, buf, f)
		}
		r.release(dir)
	}
	fd, err := openRetry(dir.path)
	if err != nil {
		return err
	}
	err = eachInodeIn(fd, buf, f)
	if err == nil && r.room > 0 && isSysfs(fd) {
		dir.fd, dir.held = fd, true
		r.room--
	} else {
		_ = unix.Close(fd)
	}
	return err
}

// eachInodeIn is eachInode of a directory that is open and at its beginning.
func eachInodeIn(fd int, buf []byte, f func(name []byte, inode uint64)) error {
	for {
		n, err := unix.Getdents(fd, buf)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil || n <= 0 {
			return err
		}
		parseDirents(buf[:n], f)
	}
}

// parseDirents reads records of getdents64(2): inode, offset, length of the record, type, and the name with a zero byte.
func parseDirents(records []byte, f func(name []byte, inode uint64)) {
	const lengthAt, nameAt = 16, 19
	for len(records) > nameAt {
		length := int(binary.NativeEndian.Uint16(records[lengthAt:]))
		if length <= nameAt || length > len(records) {
			return
		}
		name, _, _ := bytes.Cut(records[nameAt:length], []byte{0})
		f(name, binary.NativeEndian.Uint64(records))
		records = records[length:]
	}
}
