package host

import (
	"bytes"
	"encoding/binary"
	"errors"

	"golang.org/x/sys/unix"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/heldfile"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/proctext"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/rootfs"
)

const (
	// sysfsValueSize is more than any file that holds one value has.
	sysfsValueSize = 256
	// maxSysfsFiles bounds the files that one reader keeps open. It is enough for the links of a few hundred interfaces.
	maxSysfsFiles = 1024
	// sysfsFileShare: one reader keeps open one in so many of the descriptors that this process is allowed.
	sysfsFileShare = 16
)

// sysfsFile is a file of sysfs that holds one short value, or a directory of such. It may be kept open.
type sysfsFile struct {
	path string // as this process opens it
	heldfile.File
}

// sysfsReader reads such files, and keeps those of sysfs open from read to read. Of files elsewhere, as of a copy of a sysfs, it keeps none.
type sysfsReader struct {
	root   rootfs.Root
	budget *heldfile.Budget // nil: keeps none open
	buf    [sysfsValueSize]byte
}

// newSysfsReader returns a reader that keeps files open.
func newSysfsReader(root rootfs.Root) sysfsReader {
	r := sysfsReader{root: root, budget: new(heldfile.Budget)}
	r.budget.SetShare(sysfsFileShare, maxSysfsFiles)
	return r
}

// read gives the value without the blanks around it, valid until the next read. One read is enough: the kernel gives such a file
// as a whole. The error is a bare errno, because a driver that does not know its answer gives one at every scrape.
func (r *sysfsReader) read(f *sysfsFile) ([]byte, error) { return r.readInto(f, r.buf[:]) }

// readInto is read into a buffer of the caller's, for a file that has more than one value.
func (r *sysfsReader) readInto(f *sysfsFile, buf []byte) ([]byte, error) {
	if f.IsOpen() {
		text, err := readValue(f.FD(), buf)
		if !errors.Is(err, unix.ENODEV) {
			return text, err
		}
		r.close(f) // The device is gone, and its name may be another one's by now.
	}
	fd, err := r.root.OpenFile(f.path, maxFileSize)
	if err != nil {
		return nil, err
	}
	text, err := readValue(fd, buf)
	r.keepOrClose(f, fd)
	return text, err
}

func readValue(fd int, buf []byte) ([]byte, error) {
	n, err := heldfile.ReadOnce(fd, buf)
	return bytes.TrimSpace(buf[:n]), err
}

// keepOrClose keeps a file open that was opened just now, if it is one of sysfs and there is room for it.
func (r *sysfsReader) keepOrClose(f *sysfsFile, fd int) {
	if !r.budget.HasRoom() || !heldfile.IsSysfs(fd) || !r.budget.Keep(&f.File, fd) {
		_ = unix.Close(fd)
	}
}

// number reads a decimal number; -1 where there is none, which is what a file that is missing, or a driver that does not know,
// means.
func (r *sysfsReader) number(f *sysfsFile) int64 {
	text, err := r.read(f)
	if err != nil {
		return absent
	}
	v, ok := proctext.Int(text)
	if !ok {
		return absent
	}
	return v
}

// close closes those of the files that are open.
func (r *sysfsReader) close(files ...*sysfsFile) {
	for _, f := range files {
		r.budget.Close(&f.File)
	}
}

// exists tells whether there is a file at name below the root.
func (h *Host) exists(name string) bool { return h.dir.Exists(h.Path(name)) }

// numberAt reads the decimal number at name below the root, once; -1 where there is none.
func (h *Host) numberAt(name string) int64 {
	once := sysfsReader{root: h.dir}
	return once.number(&sysfsFile{path: h.Path(name)})
}

// eachInode calls f with the names in the directory, which is kept open like a file, and the numbers of their inodes.
func (r *sysfsReader) eachInode(dir *sysfsFile, buf []byte, f func(name []byte, inode uint64)) error {
	if dir.IsOpen() {
		if _, err := unix.Seek(dir.FD(), 0, unix.SEEK_SET); err == nil {
			return eachInodeIn(dir.FD(), buf, f)
		}
		r.close(dir)
	}
	fd, err := r.root.OpenDir(dir.path)
	if err != nil {
		return err
	}
	if err = eachInodeIn(fd, buf, f); err != nil {
		_ = unix.Close(fd)
		return err
	}
	r.keepOrClose(dir, fd)
	return nil
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
	parseEntries(records, func(name []byte, inode uint64, _ byte) { f(name, inode) })
}

// parseEntries is parseDirents with the type: DT_DIR, or DT_UNKNOWN where the filesystem does not say.
func parseEntries(records []byte, f func(name []byte, inode uint64, kind byte)) {
	const lengthAt, kindAt, nameAt = 16, 18, 19
	for len(records) > nameAt {
		length := int(binary.NativeEndian.Uint16(records[lengthAt:]))
		if length <= nameAt || length > len(records) {
			return
		}
		name, _, _ := bytes.Cut(records[nameAt:length], []byte{0})
		f(name, binary.NativeEndian.Uint64(records), records[kindAt])
		records = records[length:]
	}
}
