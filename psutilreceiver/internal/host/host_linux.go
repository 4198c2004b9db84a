package host

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/heldfile"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/rootfs"
)

const (
	// direntBuffer is the size of a buffer for the names in a directory.
	direntBuffer = 4 << 10
	// maxFileSize bounds what is read of one file. The largest real one, /proc/stat of a host with thousands of interrupts
	// and CPUs, is below 1 MiB.
	maxFileSize = 64 << 20
)

// platform is what the Linux reader keeps between scrapes.
type platform struct {
	files   map[string]*kernelFile // by path below the root, as "proc/stat"
	stat    statSample
	scratch []byte // for readOnce
	sensors sensors
	keep    bool // the files of procfs open from scrape to scrape
}

// kernelFile is one file of the kernel, read at most once a scrape.
type kernelFile struct {
	path string // as this process opens it
	data []byte // what was read, in a buffer that is kept
	err  error
	read bool // whether this scrape has read it
	file heldfile.File
}

func (p *platform) init(string) { p.files = make(map[string]*kernelFile) }

func checkRootPlatform(root string) error {
	if _, err := os.Stat(filepath.Join(root, "proc")); err != nil {
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
func (h *Host) read(name string) ([]byte, error) {
	f, ok := h.files[name]
	if !ok {
		f = &kernelFile{path: h.Path(name)}
		h.files[name] = f
	}
	if !f.read {
		f.load(h.keep)
		f.read = true
	}
	return f.data, f.err
}

// load reads the file, from the one that is open if there is one. If that fails, it is opened again: the file of a process fails with
// ESRCH once the process has gone.
func (f *kernelFile) load(keep bool) {
	if f.file.IsOpen() {
		if f.data, f.err = readAll(f.file.FD(), f.path, f.data); f.err == nil {
			return
		}
		f.file.Close()
	}
	if !keep {
		f.data, f.err = readFile(f.path, f.data)
		return
	}
	fd, err := heldfile.Open(f.path)
	if err != nil {
		f.data, f.err = f.data[:0], &fs.PathError{Op: "open", Path: f.path, Err: err}
		return
	}
	f.file = heldfile.FileOf(fd)
	if f.data, f.err = readAll(fd, f.path, f.data); f.err != nil || !heldfile.IsProcfs(fd) {
		f.file.Close()
	}
}

// readOnce is read for a file whose path belongs to something that may disappear, such as a network interface: the content is
// not kept.
func (h *Host) readOnce(name string, buf []byte) ([]byte, error) { return readFile(h.Path(name), buf) }

// readFile reads the file at path into buf, growing it as needed. Raw system calls, because os.ReadFile adds fstat, epoll_ctl
// and a second read to each of the few files that make up a scrape.
func readFile(path string, buf []byte) ([]byte, error) {
	fd, err := heldfile.Open(path)
	if err != nil {
		return buf[:0], &fs.PathError{Op: "open", Path: path, Err: err}
	}
	defer func() { _ = unix.Close(fd) }()
	return readAll(fd, path, buf)
}

// readAll reads the open file fd from its beginning to its end into buf. The path is for errors.
func readAll(fd int, path string, buf []byte) ([]byte, error) {
	buf, err := heldfile.ReadAll(fd, buf, maxFileSize)
	if err != nil {
		return buf, &fs.PathError{Op: "read", Path: path, Err: err}
	}
	return buf, nil
}

// readInRoot reads a file of the host's own, one that the kernel did not make up and that there may be links to.
func (h *Host) readInRoot(name string) ([]byte, error) {
	f, err := rootfs.Open(h.root, name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return readAll(int(f.Fd()), f.Name(), nil)
}

// optional turns the absence of a file into ErrUnsupported: the kernel was built or booted without the feature. EOPNOTSUPP is
// what /proc/pressure answers when PSI is switched off at boot.
func optional(err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.ENOTDIR) {
		return ErrUnsupported
	}
	return err
}
