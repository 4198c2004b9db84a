package read

import (
	"io"
	"path/filepath"
	"strconv"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/rootfs"
)

// maxSmallFile bounds what is read of a file that has a few lines, in bytes.
const maxSmallFile = 64 << 10

// readSmall reads a file of a process that is seldom wanted.
func readSmall(root string, pid int32, name string) ([]byte, error) {
	f, err := rootfs.At(root).Open(processPath(root, pid, name), maxSmallFile)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return io.ReadAll(io.LimitReader(f, maxSmallFile))
}

// Exists tells whether the host whose root directory is root has a process of that pid; true where that is not known.
func Exists(root string, pid int32) bool { return rootfs.At(root).Exists(processPath(root, pid, "")) }

func processPath(root string, pid int32, name string) string {
	return rootfs.At(root).Join(filepath.Join("proc", strconv.Itoa(int(pid)), name))
}
