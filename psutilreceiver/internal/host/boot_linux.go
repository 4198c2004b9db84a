package host

import (
	"bytes"
	"math"
	"net"
	"os"
	"path/filepath"
	"runtime"
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

// Identity reads the host's names: below the root, etc/machine-id, var/lib/dbus/machine-id, etc/hostname, etc/os-release; this
// host's own name and addresses come from the kernel.
func (h *Host) Identity() Identity {
	id := Identity{OSType: "linux", Arch: runtime.GOARCH}
	for _, name := range []string{"etc/machine-id", "var/lib/dbus/machine-id"} {
		if id.ID = h.firstWord(name); id.ID != "" {
			break
		}
	}
	if h.root == "" {
		id.Name, _ = os.Hostname()
		id.IPs, id.MACs = addresses()
	} else if id.Name = h.firstWord("etc/hostname"); id.Name == "" {
		id.Name = h.firstWord("proc/sys/kernel/hostname")
	}
	id.Description = h.osDescription()
	return id
}

func (h *Host) firstWord(name string) string {
	text, err := os.ReadFile(filepath.Join(h.root+"/", name))
	if err != nil {
		return ""
	}
	word, _ := field(text)
	return string(word)
}

func (h *Host) osDescription() string {
	for _, name := range []string{"etc/os-release", "usr/lib/os-release"} {
		text, err := os.ReadFile(h.Path(name))
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

// addresses lists the IP and MAC addresses of the interfaces that are up, in the notations of the semantic conventions.
func addresses() (ips, macs []string) {
	interfaces, err := net.Interfaces()
	if err != nil {
		return nil, nil
	}
	for _, i := range interfaces {
		if i.Flags&net.FlagUp == 0 || i.Flags&net.FlagLoopback != 0 {
			continue
		}
		if len(i.HardwareAddr) > 0 {
			macs = append(macs, strings.ToUpper(strings.ReplaceAll(i.HardwareAddr.String(), ":", "-")))
		}
		addrs, err := i.Addrs()
		if err != nil {
			continue
		}
		for _, a := range addrs {
			if n, ok := a.(*net.IPNet); ok {
				ips = append(ips, n.IP.String())
			}
		}
	}
	return ips, macs
}
