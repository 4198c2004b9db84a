// Package host reads the statistics of one host: its CPUs, memory, disks, filesystems, network, sensors and kernel totals.
//
// A Host gives plain sample structs in base units (bytes, seconds, counts); it knows the kernel's units and quirks and nothing
// of OTLP. On Linux it reads the kernel's files below a root of its own, each at most once a scrape; on other systems it uses
// gopsutil. The scrapers of the psutil receiver are its only callers.
package host

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// ErrUnsupported is returned where the platform, the kernel or its configuration has no such statistic. It is a normal state of a
// host, not a fault: the metric is absent.
var ErrUnsupported = errors.ErrUnsupported

// absent is the value of a statistic that the kernel does not report.
const absent = -1

// rediscoverAfter is the number of scrapes after which hardware, or a file that was not there, is looked for again: it seldom comes or goes.
const rediscoverAfter = 60

// Host reads one host. It keeps buffers between reads and is not safe for concurrent use: each group of scrapers that share
// an interval has its own.
type Host struct {
	root  string // "" is this host's own /
	names names
	// reboots is for RebootRequired.
	reboots rebootRecords
	// ofNetwork has the paths of the files of the host's network namespace, by their names in /proc/<pid>.
	ofNetwork map[string]string
	platform
}

// New returns a reader of the host whose / is root. An empty root, or "/", means this host. It fails when root is no directory
// or, on Linux, has no proc below it.
func New(root string) (*Host, error) {
	if isOwn(root) {
		root = ""
	} else {
		root = filepath.Clean(root)
	}
	if err := CheckRoot(root); err != nil {
		return nil, err
	}
	h := &Host{root: root, ofNetwork: make(map[string]string)}
	h.init(root)
	return h, nil
}

// CheckRoot tells whether a host can be read below root.
func CheckRoot(root string) error {
	if isOwn(root) {
		return nil
	}
	info, err := os.Stat(root)
	if err != nil {
		return fmt.Errorf("opening the host's root: %w", err)
	}
	if !info.IsDir() {
		return fmt.Errorf("opening the host's root: %s is not a directory", root)
	}
	return checkRootPlatform(root)
}

// isOwn tells whether root is this host's own /.
func isOwn(root string) bool { return root == "" || filepath.Clean(root) == string(filepath.Separator) }

// Root is the path below which the host is read; empty for this host's own /.
func (h *Host) Root() string { return h.root }

// Path turns a path of the host into one that this process can open.
func (h *Host) Path(hostPath string) string {
	return filepath.Join(h.root+string(filepath.Separator), hostPath)
}

// errMalformed is the class of all errors about text that could be read but not understood.
var errMalformed = errors.New("malformed")

// ErrorClass names the kind of fault behind err, for counting and for warning once a kind: permission, missing, malformed,
// timeout or other.
func ErrorClass(err error) string {
	switch {
	case errors.Is(err, os.ErrPermission):
		return "permission"
	case errors.Is(err, os.ErrNotExist):
		return "missing"
	case errors.Is(err, errMalformed):
		return "malformed"
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	default:
		return "other"
	}
}
