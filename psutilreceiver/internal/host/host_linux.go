package host

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/heldfile"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/rootfs"
)

const (
	// direntBuffer is the size of a buffer for the names in a directory.
	direntBuffer = 4 << 10
	// maxFileSize bounds what is read of one file. The largest real one but a table of mounts, /proc/stat of a host with thousands of interrupts
	// and CPUs, is below 1 MiB.
	maxFileSize = 16 << 20
	// maxTableSize is enough for several million sockets. The text of sockets is not kept.
	maxTableSize = 1 << 30
)

// platform is what the Linux reader keeps between scrapes.
type platform struct {
	files   map[string]*kernelFile // by path below the root, as "proc/stat"
	stat    statSample
	scratch []byte // for readOnce
	sensors sensors
	dir     rootfs.Root
	keep    bool // the files of procfs open from scrape to scrape
}

// kernelFile is one file of the kernel, read at most once a scrape.
type kernelFile struct {
	path string // as this process opens it
	root rootfs.Root
	data []byte // what was read, in a buffer that is kept
	err  error
	read bool // whether this scrape has read it
	file heldfile.File
	// sysctl: it is of /proc/sys.
	sysctl bool
}

func (p *platform) init(root string) {
	p.files, p.dir = make(map[string]*kernelFile), rootfs.At(root)
	p.sensors.root = p.dir
}

func checkRootPlatform(root string) error {
	if _, err := rootfs.At(root).Stat(filepath.Join(root, "proc")); err != nil {
		return fmt.Errorf("opening the host's root: %s has no proc: %w", root, err)
	}
	return nil
}

// Begin starts a scrape: what the last one read is forgotten.
func (h *Host) Begin() {
	for _, f := range h.files {
		f.read = false
	}
	h.stat.parsed = false
	h.names.trim()
	h.sensors.age++
}

// KeepOpen makes the host keep the files of procfs that it reads open until Close, for one that reads the same few very often: to
// read such a file again from its beginning takes no walk through directories, and allocates nothing.
func (h *Host) KeepOpen() { h.keep = true }

// Close closes the files that are kept open. The host must not be read afterwards.
func (h *Host) Close() error {
	for _, f := range h.files {
		f.file.Close()
	}
	return nil
}

// read gives the content of the file at name below the root, for instance "proc/stat". Later calls within one scrape give the
// same bytes. They are valid until the next scrape and must not be changed.
func (h *Host) read(name string) ([]byte, error) { return h.readFile(name, h.keep) }

// readHeld is read for a file that every scrape reads: it is kept open from scrape to scrape.
func (h *Host) readHeld(name string) ([]byte, error) { return h.readFile(name, true) }

func (h *Host) readFile(name string, keep bool) ([]byte, error) {
	f, ok := h.files[name]
	if !ok {
		f = &kernelFile{path: h.Path(name), root: h.dir, sysctl: strings.HasPrefix(name, "proc/sys/")}
		h.files[name] = f
	}
	if !f.read {
		f.load(keep)
		f.read = true
	}
	return f.data, f.err
}

// load reads the file, from the one that is open if there is one. If that fails, it is opened again: the file of a process fails with
// ESRCH once the process has gone.
func (f *kernelFile) load(keep bool) {
	if f.file.IsOpen() {
		if f.err = f.readOpen(); f.err == nil {
			return
		}
		f.file.Close()
	}
	if !keep {
		f.data, f.err = readFile(f.root, f.path, f.data, f.limit())
		return
	}
	fd, err := f.root.OpenFile(f.path, int64(f.limit()))
	if err != nil {
		f.data, f.err = f.data[:0], &fs.PathError{Op: "open", Path: f.path, Err: err}
		return
	}
	f.file = heldfile.FileOf(fd)
	if f.err = f.readOpen(); f.err != nil || !heldfile.IsProcfs(fd) {
		f.file.Close()
	}
}

// readOpen reads the file that is open. A value of sysctl comes as a whole: that nothing follows it needs no read more, which costs as much.
func (f *kernelFile) readOpen() error {
	if f.sysctl && cap(f.data) > 0 {
		data, err := heldfile.ReadWhole(f.file.FD(), f.data, f.limit())
		if err == nil {
			f.data = data
			return nil
		}
	}
	var err error
	f.data, err = readAll(f.file.FD(), f.path, f.data, f.limit())
	return err
}

// readOnce is read for a file whose path belongs to something that may disappear, such as a network interface: the content is
// not kept.
func (h *Host) readOnce(name string, buf []byte) ([]byte, error) {
	return readFile(h.dir, h.Path(name), buf, maxFileSize)
}

// list gives the names in the directory at name below the root, sorted; none if there is no such directory.
func (h *Host) list(name string) []string { return h.dir.ReadDir(h.Path(name)) }

// limit is how large the file may be.
func (f *kernelFile) limit() int {
	if strings.HasSuffix(f.path, "/mountinfo") {
		return heldfile.MaxMountinfo
	}
	return maxFileSize
}

// readFile reads the file at path, up to limit bytes, into buf, growing it as needed. Raw system calls, because os.ReadFile adds fstat, epoll_ctl
// and a second read to each of the few files that make up a scrape.
func readFile(root rootfs.Root, path string, buf []byte, limit int) ([]byte, error) {
	fd, err := root.OpenFile(path, int64(limit))
	if err != nil {
		return buf[:0], &fs.PathError{Op: "open", Path: path, Err: err}
	}
	defer func() { _ = unix.Close(fd) }()
	return readAll(fd, path, buf, limit)
}

// readAll reads the open file fd from its beginning to its end into buf. The path is for errors.
func readAll(fd int, path string, buf []byte, limit int) ([]byte, error) {
	buf, err := heldfile.ReadAll(fd, buf, limit)
	if err != nil {
		return buf, &fs.PathError{Op: "read", Path: path, Err: err}
	}
	return buf, nil
}

// readInRoot reads a file of the host's own, one that the kernel did not make up and that there may be links to.
func (h *Host) readInRoot(name string) ([]byte, error) {
	return readFile(h.dir, h.Path(name), nil, maxFileSize)
}

// optional turns the absence of a file into ErrUnsupported: the kernel was built or booted without the feature. EOPNOTSUPP is
// what /proc/pressure answers when PSI is switched off at boot.
func optional(err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.ENOTDIR) {
		return ErrUnsupported
	}
	return err
}
