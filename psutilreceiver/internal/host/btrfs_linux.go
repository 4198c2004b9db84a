package host

import (
	"cmp"
	"errors"
	"math"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/proctext"
)

const btrfsDir = "sys/fs/btrfs"

// BtrfsFilesystems reads the mounted btrfs filesystems, and keeps the files of sysfs open. It is not safe for concurrent use.
type BtrfsFilesystems struct {
	host        *Host
	dir         watchedDirectory
	files       sysfsReader
	known       []*btrfsFiles
	filesystems []Btrfs
}

// btrfsFiles are the files of one filesystem.
type btrfsFiles struct {
	uuid        string
	label       sysfsFile
	allocations [4]btrfsAllocationFiles // data, metadata, system, mixed
	deviceDir   watchedDirectory
	devices     []*btrfsDeviceFiles
	sizes       []*sysfsFile // of the block devices, in sectors
	found       []BtrfsDevice
}

type btrfsAllocationFiles struct{ total, used, disk sysfsFile }

type btrfsDeviceFiles struct {
	number          int64
	key, dir        string
	errors, missing sysfsFile
}

// NewBtrfsFilesystems returns a reader of the btrfs filesystems of a host.
func NewBtrfsFilesystems(h *Host) *BtrfsFilesystems {
	return &BtrfsFilesystems{host: h, dir: watchedDirectory{path: h.Path(btrfsDir)}, files: newSysfsReader(h.dir)}
}

// Read gives the filesystems, from /sys/fs/btrfs/<uuid>. What could not be read of one is an error beside the rest. ErrUnsupported where the kernel
// has no btrfs, or has not loaded it. The slice is valid until the next Read.
func (b *BtrfsFilesystems) Read() ([]Btrfs, error) {
	if b.dir.isDue(b.host) {
		b.list()
	}
	if !b.dir.there {
		return nil, ErrUnsupported
	}
	b.filesystems = b.filesystems[:0]
	var failed error
	for _, k := range b.known {
		label, err := b.files.read(&k.label)
		if errors.Is(err, unix.ENOENT) {
			b.dir.forget() // Unmounted.
			continue
		}
		fs := Btrfs{UUID: k.uuid, Label: b.host.names.of(label), Unallocated: absent}
		failed = cmp.Or(failed, err, b.readOne(k, &fs))
		b.filesystems = append(b.filesystems, fs)
	}
	return b.filesystems, failed
}

// Close closes the files that are kept open. Read must not be called afterwards.
func (b *BtrfsFilesystems) Close() error {
	for _, k := range b.known {
		b.forget(k)
	}
	return nil
}

// list finds the filesystems again: each is a directory that has the name of its UUID.
func (b *BtrfsFilesystems) list() {
	for _, k := range b.known {
		b.forget(k)
	}
	b.known = b.known[:0]
	for _, uuid := range b.host.dir.ReadDir(b.dir.path) {
		dir := b.dir.path + "/" + uuid
		if !b.host.dir.Exists(dir + "/allocation") {
			continue // What the kernel can do: features.
		}
		k := &btrfsFiles{uuid: uuid, label: sysfsFile{path: dir + "/label"}, deviceDir: watchedDirectory{path: dir + "/devinfo"}}
		for i, kind := range [...]string{"data", "metadata", "system", "mixed"} {
			of := dir + "/allocation/" + kind
			k.allocations[i] = btrfsAllocationFiles{
				total: sysfsFile{path: of + "/total_bytes"}, used: sysfsFile{path: of + "/bytes_used"}, disk: sysfsFile{path: of + "/disk_total"},
			}
			if !b.host.dir.Exists(of) {
				k.allocations[i] = btrfsAllocationFiles{}
			}
		}
		b.known = append(b.known, k)
	}
}

// forget closes the files of a filesystem.
func (b *BtrfsFilesystems) forget(k *btrfsFiles) {
	b.forgetDevices(k)
	b.files.close(&k.label)
	for i := range k.allocations {
		b.files.close(&k.allocations[i].total, &k.allocations[i].used, &k.allocations[i].disk)
	}
}

func (b *BtrfsFilesystems) forgetDevices(k *btrfsFiles) {
	for _, d := range k.devices {
		b.files.close(&d.errors, &d.missing)
	}
	b.files.close(k.sizes...)
	k.devices, k.sizes = k.devices[:0], k.sizes[:0]
}

func (b *BtrfsFilesystems) readOne(k *btrfsFiles, fs *Btrfs) error {
	allocated, failed := b.readAllocations(k, fs)
	failed = cmp.Or(failed, b.readDevices(k, fs))
	if size := b.sizeOf(k); fs.Missing == 0 && allocated >= 0 && size >= 0 {
		fs.Unallocated = max(size-allocated, 0)
	}
	return failed
}

// readAllocations reads what is allocated to each kind, and gives what that takes of the devices together; -1 where that is not known.
func (b *BtrfsFilesystems) readAllocations(k *btrfsFiles, fs *Btrfs) (allocated int64, failed error) {
	for i, dst := range [...]*BtrfsAllocation{&fs.Data, &fs.Metadata, &fs.System, &fs.Mixed} {
		f := &k.allocations[i]
		*dst = BtrfsAllocation{Total: absent, Used: absent}
		if f.total.path == "" {
			continue
		}
		var onDisk int64
		failed = cmp.Or(failed, b.number(&f.total, &dst.Total), b.number(&f.used, &dst.Used), b.number(&f.disk, &onDisk))
		if dst.Total >= 0 && dst.Used > dst.Total {
			failed = cmp.Or(failed, oddText(b.relative(&f.used), []byte("more than total_bytes")))
			dst.Used = Odd
		}
		switch {
		case allocated < 0:
		case onDisk < 0 || onDisk > math.MaxInt64-allocated:
			allocated = absent
		default:
			allocated += onDisk
		}
	}
	return allocated, failed
}

// number reads a number that is in each kernel.
func (b *BtrfsFilesystems) number(f *sysfsFile, dst *int64) error {
	text, err := b.files.read(f)
	if err != nil {
		*dst = absent
		return err
	}
	v, ok := proctext.Int(text)
	if !ok {
		*dst = Odd
		return oddText(b.relative(f), text)
	}
	*dst = v
	return nil
}

// relative is the path of a file as it is below the root, for errors.
func (b *BtrfsFilesystems) relative(f *sysfsFile) string {
	return strings.TrimPrefix(strings.TrimPrefix(f.path, b.host.root), "/")
}

func (b *BtrfsFilesystems) readDevices(k *btrfsFiles, fs *Btrfs) error {
	if k.deviceDir.isDue(b.host) {
		b.listDevices(k)
	}
	k.found = k.found[:0]
	var failed error
	for _, f := range k.devices {
		d := BtrfsDevice{Number: f.number, Key: f.key, Write: absent, Read: absent, Flush: absent, Corruption: absent, Generation: absent}
		if b.files.number(&f.missing) == 1 { // Before Linux 5.8 there is no such file.
			fs.Missing++
		}
		text, err := b.files.read(&f.errors)
		switch {
		case errors.Is(err, unix.ENOENT): // Before Linux 5.14, or the device was removed from the filesystem.
			if !b.host.dir.Exists(f.dir) {
				k.deviceDir.forget()
				continue
			}
		case err == nil:
			failed = cmp.Or(failed, d.parseErrorStats(b.relative(&f.errors), text))
		default:
			failed = cmp.Or(failed, err)
		}
		k.found = append(k.found, d)
	}
	fs.Devices = k.found
	return failed
}

// listDevices finds the devices of a filesystem again. Those that are there are links to the block devices, beside devinfo.
func (b *BtrfsFilesystems) listDevices(k *btrfsFiles) {
	b.forgetDevices(k)
	for _, name := range b.host.dir.ReadDir(k.deviceDir.path) {
		number, ok := proctext.Int([]byte(name))
		if !ok {
			continue
		}
		dir := k.deviceDir.path + "/" + name
		k.devices = append(k.devices, &btrfsDeviceFiles{
			number: number, key: k.uuid + "/" + strconv.FormatInt(number, 10), dir: dir,
			errors: sysfsFile{path: dir + "/error_stats"}, missing: sysfsFile{path: dir + "/missing"},
		})
	}
	devices := b.dir.path + "/" + k.uuid + "/devices"
	for _, name := range b.host.dir.ReadDir(devices) {
		k.sizes = append(k.sizes, &sysfsFile{path: devices + "/" + name + "/size"})
	}
}

// sizeOf is the size of all devices in bytes; -1 where it is not known.
func (b *BtrfsFilesystems) sizeOf(k *btrfsFiles) (size int64) {
	for _, f := range k.sizes {
		sectors := b.files.number(f)
		if sectors < 0 || sectors > (math.MaxInt64-size)/sectorSize {
			return absent
		}
		size += sectors * sectorSize
	}
	if size == 0 {
		return absent
	}
	return size
}
