package events

import (
	"fmt"
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/host"
)

// Keys of attributes that several kinds have.
const (
	keyDevice     = "system.device"
	keyInterface  = "network.interface.name"
	keyMountpoint = "system.filesystem.mountpoint"
	keyType       = "system.filesystem.type"
	keyMode       = "system.filesystem.mode"
)

// identified is a device by its name and by what tells it from a later one of that name.
type identified struct {
	name     string
	identity uint64
}

func (d identified) key() string { return fmt.Sprintf("%s %d", d.name, d.identity) }

// diskSource tells of block devices, partitions and what lives in memory left out.
type diskSource struct {
	disks *host.Disks
	presence[string, identified]
}

func newDiskSource(h *host.Host) *diskSource {
	return &diskSource{disks: host.NewDisks(h, func(_ string, kind host.DiskKind) bool {
		return kind == host.DiskWhole || kind == host.DiskStacked
	})}
}

func (s *diskSource) look(now time.Time, emit func(Event)) error {
	disks, err := s.disks.Read(now)
	if err != nil && !host.IsOdd(err) {
		return err
	}
	list := make(map[string]identified, len(disks))
	for i := range disks {
		d := identified{disks[i].Name, disks[i].Identity}
		list[d.key()] = d
	}
	came, went := s.update(list)
	for _, d := range went {
		emit(Event{Kind: DiskRemoved, Time: now, Severity: Warning, Text: "Block device " + d.name + " has gone", Fields: []Field{{keyDevice, d.name}}})
	}
	for _, d := range came {
		emit(Event{Kind: DiskAdded, Time: now, Text: "Block device " + d.name + " has come", Fields: []Field{{keyDevice, d.name}}})
	}
	return nil
}

func (s *diskSource) close() error { return s.disks.Close() }

// interfaceSource tells of network interfaces.
type interfaceSource struct {
	interfaces *host.Interfaces
	presence[string, identified]
}

func newInterfaceSource(h *host.Host) *interfaceSource {
	return &interfaceSource{interfaces: host.NewInterfaces(h, 0, func(string) bool { return true })}
}

func (s *interfaceSource) look(now time.Time, emit func(Event)) error {
	interfaces, err := s.interfaces.Read()
	if err != nil && !host.IsOdd(err) {
		return err
	}
	list := make(map[string]identified, len(interfaces))
	for i := range interfaces {
		d := identified{interfaces[i].Name, interfaces[i].Identity}
		list[d.key()] = d
	}
	came, went := s.update(list)
	for _, d := range went {
		emit(Event{Kind: InterfaceRemoved, Time: now, Text: "Network interface " + d.name + " has gone", Fields: []Field{{keyInterface, d.name}}})
	}
	for _, d := range came {
		emit(Event{Kind: InterfaceAdded, Time: now, Text: "Network interface " + d.name + " has come", Fields: []Field{{keyInterface, d.name}}})
	}
	return nil
}

func (s *interfaceSource) close() error { return nil }

// mountSource tells of mounts of filesystems with a storage of their own, and of such that became read-only.
type mountSource struct {
	mounts *host.Mounts
	presence[string, host.MountPoint]
}

func newMountSource(h *host.Host) *mountSource { return &mountSource{mounts: host.NewMounts(h)} }

func (s *mountSource) look(now time.Time, emit func(Event)) error {
	mounts, changed, err := s.mounts.Read()
	if err != nil || !changed {
		return err
	}
	list := make(map[string]host.MountPoint, len(mounts))
	for _, m := range mounts {
		if !m.Virtual && !m.Part { // Containers make bind mounts by the dozen.
			list[m.Mountpoint+" "+m.Filesystem+" "+m.Device] = m
		}
	}
	before := s.known
	came, went := s.update(list)
	for _, m := range went {
		emit(Event{Kind: Unmounted, Time: now, Text: fmt.Sprintf("%s is no longer mounted at %s", m.Device, m.Mountpoint), Fields: mountFields(&m)})
	}
	for _, m := range came {
		emit(Event{Kind: Mounted, Time: now, Text: fmt.Sprintf("%s was mounted at %s", m.Device, m.Mountpoint), Fields: mountFields(&m)})
	}
	told := map[string]bool{} // A filesystem is told of once, whatever the mounts of it.
	for _, m := range mounts {
		key := m.Mountpoint + " " + m.Filesystem + " " + m.Device
		if old, ok := before[key]; ok && m.ReadOnly && !old.ReadOnly && !told[m.Filesystem+" "+m.Device] {
			told[m.Filesystem+" "+m.Device] = true
			emit(Event{
				Kind: ReadOnly, Time: now, Severity: Error,
				Text: fmt.Sprintf("The filesystem of %s at %s can no longer be written: it became read-only", m.Device, m.Mountpoint), Fields: mountFields(&m),
			})
		}
	}
	return nil
}

func (s *mountSource) close() error { return nil }

func mountFields(m *host.MountPoint) []Field {
	var f fields
	f.text(keyDevice, m.Device)
	f.text(keyMountpoint, m.Mountpoint)
	f.text(keyType, m.Type)
	mode := "rw"
	if m.ReadOnly {
		mode = "ro"
	}
	f.text(keyMode, mode)
	return f
}
