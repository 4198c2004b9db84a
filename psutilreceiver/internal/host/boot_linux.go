package host

import (
	"bytes"
	"math"
	"os"
	"strings"
	"time"
)

const uptimeFile = "proc/uptime"

// Uptime is the time since boot, suspended time included, from /proc/uptime to 10 ms.
func (h *Host) Uptime() (time.Duration, error) {
	text, err := h.read(uptimeFile)
	if err != nil {
		return 0, err
	}
	return parseUptime(text)
}

func parseUptime(text []byte) (time.Duration, error) {
	number, _ := field(text)
	seconds, ok := decimalOf(number)
	if !ok || seconds > math.MaxInt64/1e9 {
		return 0, malformed(uptimeFile, text)
	}
	return time.Duration(math.Round(seconds*100)) * 10 * time.Millisecond, nil
}

// BootTime is the instant of the boot, given that it is now. /proc/uptime and not btime of /proc/stat, which is in whole seconds.
func (h *Host) BootTime(now time.Time) (time.Time, error) {
	up, err := h.Uptime()
	if err != nil {
		return time.Time{}, err
	}
	return bootTime(now, up), nil
}

// bootTime is the boot instant that an uptime, read at now, tells.
func bootTime(now time.Time, uptime time.Duration) time.Time {
	return now.Round(0).Add(-uptime).Truncate(time.Millisecond)
}

// Identity reads the host's names: below the root, etc/machine-id, var/lib/dbus/machine-id, etc/hostname, etc/os-release; this
// host's own name and addresses come from the kernel. The kernel's name for the host is of no use below a root: whoever reads
// /proc/sys/kernel/hostname, in whichever proc, gets the name of its own container.
func (h *Host) Identity() Identity {
	id := Identity{OSType: osType(), Arch: arch()}
	for _, name := range []string{"etc/machine-id", "var/lib/dbus/machine-id"} {
		// Systemd writes "uninitialized" during the first boot of an image.
		if id.ID = h.firstWord(name); id.ID != "" && id.ID != "uninitialized" {
			break
		}
		id.ID = ""
	}
	if h.root == "" {
		id.Name, _ = os.Hostname()
		id.IPs, id.MACs = addresses()
	} else {
		id.Name = h.firstWord("etc/hostname")
	}
	id.Description = h.osDescription()
	return id
}

func (h *Host) firstWord(name string) string {
	text, err := h.readInRoot(name)
	if err != nil {
		return ""
	}
	word, _ := field(text)
	return string(word)
}

func (h *Host) osDescription() string {
	for _, name := range []string{"etc/os-release", "usr/lib/os-release"} {
		text, err := h.readInRoot(name)
		if err != nil {
			continue
		}
		for l := range bytes.Lines(text) {
			if value, ok := strings.CutPrefix(strings.TrimSpace(string(l)), "PRETTY_NAME="); ok {
				return strings.Trim(value, `"'`)
			}
		}
	}
	return ""
}
