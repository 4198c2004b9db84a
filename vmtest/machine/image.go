package machine

import (
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

const (
	// diskID is the root disk's in its partition table. Names of NVMe disks change from boot to boot, so that root is found by this one.
	diskID = 0x0b5e55ed
	// firstByte of the partition, at the usual megabyte.
	firstByte = 1 << 20
	sector    = 512
)

// Guest names the programs that the guest runs.
type Guest struct {
	Collector string // the distribution under test, "" for none
	Agent     string // the guest command
	// Debian is a tar with the root file system of a Debian that boots with systemd (debian-root.sh). Without it the guest has BusyBox.
	Debian string
	// Folder is a folder whose files the guest has in /packages.
	Folder string
}

// init is the guest's first process.
func (g Guest) init() string {
	if g.Debian != "" {
		return "/lib/systemd/systemd"
	}
	return "/init"
}

// buildImage makes a disk with the guest's root file system, without a loop device or privileges.
func buildImage(path string, k *Kernel, g Guest) error {
	root, err := os.MkdirTemp(filepath.Dir(path), "root-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(root) }()
	if g.Debian != "" {
		if err := fillDebian(root, k, g); err != nil {
			return err
		}
		return makeDisk(path, root, 3<<30)
	}
	if err := fillRoot(root, k, g); err != nil {
		return err
	}
	return makeDisk(path, root, 512<<20)
}

func fillRoot(root string, k *Kernel, g Guest) error {
	for _, folder := range []string{"bin", "dev", "etc", "proc", "sys", "run", "tmp", "mnt", "var/log", "lib/modules"} {
		if err := os.MkdirAll(filepath.Join(root, folder), 0o755); err != nil {
			return err
		}
	}
	for _, c := range []struct{ from, to string }{
		{"/bin/busybox", "bin/busybox"}, {g.Agent, "guest"}, {g.Collector, "otelcol-psutil"},
	} {
		if c.from == "" {
			continue
		}
		if err := copyFile(c.from, filepath.Join(root, c.to)); err != nil {
			return err
		}
	}
	if err := addModules(root, k); err != nil {
		return err
	}
	if g.Folder != "" {
		if _, err := output("cp", "-r", g.Folder, filepath.Join(root, "packages")); err != nil {
			return err
		}
	}
	return writeFiles(root, []file{
		{"init", initScript, 0o755},
		{"etc/inittab", "::once:/guest serve /dev/ttyS1 /dev/results\n", 0o644},
		{"etc/passwd", "root:x:0:0:root:/:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n", 0o644},
		{"etc/machine-id", machineID, 0o644},
	})
}

// addModules adds the kernel's modules. cp makes links, as they are many and do not change.
func addModules(root string, k *Kernel) error {
	_, err := output("cp", "-rl", k.modules(), filepath.Join(root, "lib/modules"))
	return err
}

type file struct {
	path, text string
	mode       os.FileMode
}

func writeFiles(root string, files []file) error {
	for _, f := range files {
		path := filepath.Join(root, f.path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(f.text), f.mode); err != nil {
			return err
		}
	}
	return nil
}

// initScript mounts what every Linux has, and becomes busybox' init, which reaps orphans as an init does.
const initScript = `#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev 2>/dev/null
mount -t tmpfs -o size=512m tmpfs /run
mount -t tmpfs tmpfs /tmp
mount -t cgroup2 cgroup2 /sys/fs/cgroup
hostname vmtest
ip link set lo up
modprobe -a virtio_pci virtio_net virtio_blk
for controller in /sys/class/nvme/nvme*; do
	read serial <$controller/serial
	[ "$serial" = results ] && ln -s /dev/${controller##*/}n1 /dev/results
done
exec /bin/init
`

var machineID = strings.Repeat("0badc0de", 4) + "\n"

// makeDisk writes a disk with one ext4 partition that holds the folder.
func makeDisk(path, root string, size int64) error {
	if err := os.RemoveAll(path); err != nil {
		return err
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := f.Truncate(size); err != nil {
		return err
	}
	if _, err := f.Write(partitionTable(size)); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	_, err = output("/sbin/mkfs.ext4", "-q", "-F", "-m", "1", "-E", fmt.Sprintf("offset=%d,root_owner=0:0", firstByte), "-d", root,
		path, fmt.Sprintf("%dk", (size-firstByte)/1024))
	return err
}

// partitionTable is a master boot record with one Linux partition.
func partitionTable(size int64) []byte {
	mbr := make([]byte, sector)
	binary.LittleEndian.PutUint32(mbr[440:], diskID)
	entry := mbr[446:]
	entry[4] = 0x83
	binary.LittleEndian.PutUint32(entry[8:], firstByte/sector)
	binary.LittleEndian.PutUint32(entry[12:], uint32((size-firstByte)/sector))
	mbr[510], mbr[511] = 0x55, 0xaa
	return mbr
}

func copyFile(from, to string) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = source.Close() }()
	target, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o755)
	if err != nil {
		return err
	}
	if _, err := io.Copy(target, source); err != nil {
		return err
	}
	return target.Close()
}
