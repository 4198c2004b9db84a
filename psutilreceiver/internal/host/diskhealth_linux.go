package host

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	nvmeClassDir = "sys/class/nvme"
	// commandTimeout is how long a disk may take for one command, in milliseconds.
	commandTimeout = 5000
)

// DiskHealths asks the disks of a host for their health. It is not safe for concurrent use.
type DiskHealths struct {
	host   *Host
	disks  []DiskHealth
	denied bool
	page   [nvmeLogSize]byte
	sense  [64]byte
}

// NewDiskHealths returns a reader of the disks of a host.
func NewDiskHealths(h *Host) *DiskHealths { return &DiskHealths{host: h} }

// Read asks each NVMe controller, and each ATA disk that does not sleep: none is woken. Without the capabilities for that, of an NVMe controller there
// is the state that the kernel knows. What could not be read of one is an error beside the rest. ErrUnsupported on hosts without such disks. The
// slice is valid until the next Read.
func (d *DiskHealths) Read() ([]DiskHealth, error) {
	d.denied = false
	old := d.disks
	d.disks = d.disks[:0]
	var failed error
	for _, name := range d.host.list(nvmeClassDir) {
		if strings.HasPrefix(name, "nvme") {
			failed = cmp.Or(failed, d.withoutDenied(d.readNVMe(d.next(old, name))))
		}
	}
	for _, name := range d.host.list(blockDir) {
		if strings.HasPrefix(name, "sd") && word(d.host.dir, d.host.Path(blockDir+"/"+name+"/device/vendor")) == "ATA" {
			failed = cmp.Or(failed, d.withoutDenied(d.readATA(d.next(old, name))))
		}
	}
	if len(d.disks) == 0 {
		return nil, ErrUnsupported
	}
	return d.disks, failed
}

// Denied tells whether the last Read lacked a capability to ask a disk.
func (d *DiskHealths) Denied() bool { return d.denied }

// next adds a disk of which nothing is known yet, in the memory of one of the last read if there is some.
func (d *DiskHealths) next(old []DiskHealth, name string) *DiskHealth {
	n := len(d.disks)
	var disk DiskHealth
	if n < len(old) {
		disk.Values = old[n].Values
	}
	disk.ID, disk.Name = "disk/"+name, name
	disk.reset()
	d.disks = append(d.disks, disk)
	return &d.disks[n]
}

// withoutDenied notes that a capability is missing, which is no error of reading.
func (d *DiskHealths) withoutDenied(err error) error {
	if errors.Is(err, unix.EACCES) || errors.Is(err, unix.EPERM) {
		d.denied = true
		return nil
	}
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENXIO) || errors.Is(err, unix.ENODEV) {
		return nil // It was removed, or has no node in this /dev.
	}
	return err
}

// nvmeStates are the states in which the kernel has a controller; another one means that it is being reset or connected.
var nvmeStates = map[string]DiskState{"live": DiskOK, "dead": DiskFailed}

func (d *DiskHealths) readNVMe(disk *DiskHealth) error {
	dir := d.host.Path(nvmeClassDir + "/" + disk.Name)
	if text := word(d.host.dir, dir+"/state"); text != "" {
		state, known := nvmeStates[text]
		if !known {
			state = DiskDegraded
		}
		disk.State, disk.StateKnown = state, true
		if text != "live" {
			return nil // It would not answer.
		}
	}
	fd, err := d.open(disk.Name, dir)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(fd) }()
	if err = d.nvmeLog(fd); err != nil {
		return fmt.Errorf("asking %s for its health: %w", disk.Name, err)
	}
	return disk.parseNVMeLog(d.page[:])
}

// open opens the node of the device that sysfs shows.
func (d *DiskHealths) open(name, sysfs string) (int, error) {
	return d.host.dir.OpenDevice(d.host.Path("dev/"+name), word(d.host.dir, sysfs+"/dev"))
}

// nvmeCommand is struct nvme_admin_cmd of linux/nvme_ioctl.h.
type nvmeCommand struct {
	opcode, flags       uint8
	_                   uint16
	namespace           uint32
	_, _                uint32
	_                   uint64 // metadata
	address             uint64
	_                   uint32 // length of the metadata
	length              uint32
	cdw10               uint32
	_, _, _, _, _       uint32
	timeoutMilliseconds uint32
	_                   uint32 // result
}

// nvmeLog reads the health log page of a controller into d.page.
func (d *DiskHealths) nvmeLog(fd int) error {
	const (
		adminCommand  = 0xc0484e41 // NVME_IOCTL_ADMIN_CMD
		getLogPage    = 0x02
		healthLog     = 0x02
		allNamespaces = 0xffffffff
	)
	clear(d.page[:])
	command := nvmeCommand{
		opcode: getLogPage, namespace: allNamespaces, address: uint64(uintptr(unsafe.Pointer(&d.page[0]))), length: nvmeLogSize,
		cdw10: (nvmeLogSize/4-1)<<16 | healthLog, timeoutMilliseconds: commandTimeout,
	}
	status, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), adminCommand, uintptr(unsafe.Pointer(&command)))
	switch {
	case errno != 0:
		return errno
	case status != 0:
		return fmt.Errorf("the controller answers with status %#x", status)
	}
	return nil
}

// scsiRequest is struct sg_io_hdr of scsi/sg.h.
type scsiRequest struct {
	interfaceID               int32
	direction                 int32
	commandLength, senseSize  uint8
	_                         uint16
	length                    uint32
	data, command, sense      unsafe.Pointer
	timeoutMilliseconds       uint32
	_                         uint32
	_                         int32
	_                         uintptr
	status, _, _, senseLength uint8
	hostStatus, driverStatus  uint16
	_                         int32
	_, _                      uint32
}

// The commands of ATA that are sent.
const (
	ataSMART          = 0xb0
	ataCheckPowerMode = 0xe5
	smartReadData     = 0xd0
	smartReturnStatus = 0xda
)

func (d *DiskHealths) readATA(disk *DiskHealth) error {
	fd, err := d.open(disk.Name, d.host.Path(blockDir+"/"+disk.Name))
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(fd) }()
	mode, err := d.ataCommand(fd, ataCheckPowerMode, 0, nil)
	if err != nil {
		return fmt.Errorf("asking %s whether it sleeps: %w", disk.Name, err)
	}
	if mode.isAsleep() {
		return nil
	}
	if _, err = d.ataCommand(fd, ataSMART, smartReadData, d.page[:]); err == nil {
		err = disk.parseATAData(d.page[:])
	}
	status, statusErr := d.ataCommand(fd, ataSMART, smartReturnStatus, nil)
	if statusErr == nil {
		statusErr = disk.parseATAStatus(status.mid, status.high)
	}
	if err = cmp.Or(err, statusErr); err != nil {
		return fmt.Errorf("asking %s for its health: %w", disk.Name, err)
	}
	return nil
}

// ataCommand sends a command by ATA PASS-THROUGH (16): with data one that reads a sector into it, without one that answers in the registers.
func (d *DiskHealths) ataCommand(fd int, command, feature byte, data []byte) (ataRegisters, error) {
	const (
		sgIO           = 0x2285
		noTransfer     = -1
		fromDevice     = -3
		passThrough16  = 0x85
		nonData, pioIn = 3 << 1, 4 << 1
		checkCondition = 0x20 // The registers come as sense data.
		oneSectorIn    = 0x0e // Direction in, in blocks, as many as the sector count says.
	)
	cdb := [16]byte{0: passThrough16, 1: nonData, 2: checkCondition, 4: feature, 14: command}
	if command == ataSMART {
		cdb[10], cdb[12] = 0x4f, 0xc2
	}
	request := scsiRequest{
		interfaceID: 'S', direction: noTransfer, commandLength: uint8(len(cdb)), senseSize: uint8(len(d.sense)),
		command: unsafe.Pointer(&cdb[0]), sense: unsafe.Pointer(&d.sense[0]), timeoutMilliseconds: commandTimeout,
	}
	if data != nil {
		clear(data)
		cdb[1], cdb[2], cdb[6] = pioIn, oneSectorIn, 1
		request.direction, request.length, request.data = fromDevice, uint32(len(data)), unsafe.Pointer(&data[0])
	}
	clear(d.sense[:])
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), sgIO, uintptr(unsafe.Pointer(&request))); errno != 0 {
		return ataRegisters{}, errno
	}
	if data != nil {
		if request.status != 0 || request.hostStatus != 0 {
			return ataRegisters{}, fmt.Errorf("the disk answers with status %#x, its host with %#x", request.status, request.hostStatus)
		}
		return ataRegisters{}, nil
	}
	return parseATASense(d.sense[:])
}
