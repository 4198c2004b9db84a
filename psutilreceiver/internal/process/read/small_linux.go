package read

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/heldfile"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/rootfs"
)

// maxSmallFile bounds what is read of a file that has a few lines, in bytes.
const maxSmallFile = 64 << 10

// readSmall reads a file of a process that is seldom wanted. One of more than maxSmallFile is an error.
func readSmall(root string, pid int32, name string) ([]byte, error) {
	f, err := rootfs.At(root).Open(processPath(root, pid, name), maxSmallFile)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return heldfile.ReadAll(int(f.Fd()), nil, maxSmallFile)
}

// Runs tells whether the host whose root directory is root has the process of a key still, rather than none or another one of its pid; true
// where that is not known.
func Runs(root string, key Key) bool {
	text, err := readSmall(root, key.PID, "stat")
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ESRCH) {
		return false
	}
	var now Sample
	return err != nil || !parseStat(text, 1, &now) || now.Key == key
}

func processPath(root string, pid int32, name string) string {
	return rootfs.At(root).Join(filepath.Join("proc", strconv.Itoa(int(pid)), name))
}
