//go:build !linux

package host

// ZFSPools reads nothing here: only Linux has the statistics.
type ZFSPools struct{}

// NewZFSPools returns a reader that has nothing to read.
func NewZFSPools(*Host) *ZFSPools { return &ZFSPools{} }

// Read is ErrUnsupported.
func (*ZFSPools) Read(bool) ([]ZFSPool, error) { return nil, ErrUnsupported }

// BtrfsFilesystems reads nothing here: only Linux has the filesystem.
type BtrfsFilesystems struct{}

// NewBtrfsFilesystems returns a reader that has nothing to read.
func NewBtrfsFilesystems(*Host) *BtrfsFilesystems { return &BtrfsFilesystems{} }

// Read is ErrUnsupported.
func (*BtrfsFilesystems) Read() ([]Btrfs, error) { return nil, ErrUnsupported }

// Close does nothing: nothing is kept open.
func (*BtrfsFilesystems) Close() error { return nil }

// Ext4Errors reads nothing here: only Linux has the statistics.
type Ext4Errors struct{}

// NewExt4Errors returns a reader that has nothing to read.
func NewExt4Errors(*Host) *Ext4Errors { return &Ext4Errors{} }

// Begin does nothing.
func (*Ext4Errors) Begin() {}

// Read is -1.
func (*Ext4Errors) Read(*MountHealth) int64 { return absent }

// End does nothing.
func (*Ext4Errors) End() {}

// Close does nothing: nothing is kept open.
func (*Ext4Errors) Close() error { return nil }

// DiskHealths reads nothing here: only Linux is asked.
type DiskHealths struct{}

// NewDiskHealths returns a reader that has nothing to read.
func NewDiskHealths(*Host) *DiskHealths { return &DiskHealths{} }

// Read is ErrUnsupported.
func (*DiskHealths) Read() ([]DiskHealth, error) { return nil, ErrUnsupported }

// Denied is false.
func (*DiskHealths) Denied() bool { return false }
