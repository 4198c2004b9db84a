package host

import (
	"path"
	"strings"
)

const ext4Dir = "sys/fs/ext4"

// Ext4Errors reads how many errors the kernel has found in ext4 filesystems, and keeps the files of sysfs open. It is not safe for concurrent use.
type Ext4Errors struct {
	host  *Host
	files sysfsReader
	known map[string]*ext4File // by st_dev
	reads uint64
}

type ext4File struct {
	sysfsFile        // errors_count; without a path where the device is not known
	lastRead  uint64 // number of the last read that had it
}

// NewExt4Errors returns a reader of a host.
func NewExt4Errors(h *Host) *Ext4Errors {
	return &Ext4Errors{host: h, files: newSysfsReader(h.dir), known: make(map[string]*ext4File)}
}

// Begin starts a read of all filesystems.
func (e *Ext4Errors) Begin() { e.reads++ }

// Read gives the errors of the filesystem of a mount, from /sys/fs/ext4/<device>/errors_count: those that it has kept since it was checked last, which
// outlive a restart; -1 where the filesystem is no ext4, or the kernel does not say.
func (e *Ext4Errors) Read(m *MountHealth) int64 {
	if !strings.HasPrefix(m.Type, "ext") || m.filesystem == "" {
		return absent
	}
	f, ok := e.known[m.filesystem]
	if !ok {
		f = &ext4File{}
		// The name of the device there is the kernel's, whatever it was mounted by.
		if device := path.Base(e.host.dir.Readlink(e.host.Path("sys/dev/block/" + m.filesystem))); device != "." && device != "/" {
			f.path = e.host.Path(ext4Dir + "/" + device + "/errors_count")
		}
		e.known[m.filesystem] = f
	}
	f.lastRead = e.reads
	if f.path == "" {
		return absent
	}
	return e.files.number(&f.sysfsFile)
}

// End forgets the filesystems that the read did not have.
func (e *Ext4Errors) End() {
	for key, f := range e.known {
		if f.lastRead != e.reads {
			e.files.close(&f.sysfsFile)
			delete(e.known, key)
		}
	}
}

// Close closes the files that are kept open. Read must not be called afterwards.
func (e *Ext4Errors) Close() error {
	e.reads++
	e.End()
	return nil
}
