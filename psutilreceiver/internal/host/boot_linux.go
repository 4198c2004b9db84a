package host

import (
	"fmt"
	"math"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/proctext"
)

const uptimeFile = "proc/uptime"

// Uptime is the time since boot, suspended time included, from /proc/uptime to 10 ms.
func (h *Host) Uptime() (time.Duration, error) {
	text, err := h.readHeld(uptimeFile)
	if err != nil {
		return 0, err
	}
	return parseUptime(text)
}

func parseUptime(text []byte) (time.Duration, error) {
	line, _ := proctext.Line(text)
	number, _, _ := proctext.Column(line) // The second one, idle time, is of no use here, and emulations may lack it.
	seconds, ok := proctext.Decimal(number)
	if !ok || seconds > math.MaxInt64/1e9 {
		return 0, oddText(uptimeFile, text)
	}
	return time.Duration(math.Round(seconds*100)) * 10 * time.Millisecond, nil
}

// BootTime is the instant of the boot to the millisecond, given that it is now: by this kernel's clocks if now is of them. /proc/uptime is in
// hundredths of a second, so that it would give another instant each time, and btime of /proc/stat in whole seconds. A root with a copy of a
// proc, whose uptime is not this kernel's, gets it from /proc/uptime.
func (h *Host) BootTime(now time.Time) (time.Time, error) {
	if wall, err := (kernelClocks{}).wall(); err == nil && time.Unix(0, wall).Sub(now).Abs() < sameClock && h.dir.HasProcfs() {
		return bootInstant()
	}
	up, err := h.sinceBoot()
	if err != nil {
		return time.Time{}, err
	}
	return now.Round(0).Add(-up).Round(time.Millisecond), nil
}

// Present is the instant now in the clock of boot, an earlier answer of BootTime. It differs from the wall clock by what that was set since,
// so that ages are right whatever was done to it. A root with a copy of a proc has no clock but the wall's.
func (h *Host) Present(boot, now time.Time) time.Time {
	if !h.dir.HasProcfs() {
		return now
	}
	up, err := bootClock()
	if err != nil {
		return now
	}
	return boot.Add(up)
}

func (h *Host) sinceBoot() (time.Duration, error) {
	if !h.dir.HasProcfs() {
		return h.Uptime()
	}
	return bootClock()
}

// bootClock is the time since boot, suspended time included, by this kernel's own clock.
func bootClock() (time.Duration, error) {
	var up unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &up); err != nil {
		return 0, fmt.Errorf("reading the time since boot: %w", err)
	}
	return time.Duration(up.Nano()), nil
}

// Identity reads the host's names: below the root, etc/machine-id, var/lib/dbus/machine-id, etc/hostname, etc/os-release, and what it is made of; this
// host's own name and addresses come from the kernel. The kernel's name for the host is useless below a root: whoever reads
// /proc/sys/kernel/hostname, in whichever proc, gets the name of its own container.
func (h *Host) Identity() Identity {
	id := Identity{OSType: osType(), Arch: arch()}
	for _, name := range []string{"etc/machine-id", "var/lib/dbus/machine-id"} {
		text, err := h.readInRoot(name)
		if id.ID = machineID(text); err == nil && id.ID != "" {
			break
		}
	}
	if h.root == "" {
		id.Name, _ = os.Hostname()
		id.IPs, id.MACs = addresses()
	} else {
		text, _ := h.readInRoot("etc/hostname")
		id.Name = hostname(text)
	}
	id.Description, id.OS = h.operatingSystem()
	id.CPU, id.Machine = h.cpuModel(), h.machine()
	return id
}

// operatingSystem reads the first of the two files that there is: the one in etc stands for the other, which it is a link to as a rule.
func (h *Host) operatingSystem() (description string, os OS) {
	if kernel, err := h.KernelRelease(); err == nil {
		os.BuildID = kernel.Release
	}
	for _, name := range []string{"etc/os-release", "usr/lib/os-release"} {
		if text, err := h.readInRoot(name); err == nil {
			values := osRelease(text)
			os.Name, os.Version = values["NAME"], values["VERSION_ID"]
			return osDescriptionOf(values), os
		}
	}
	return "", os
}
