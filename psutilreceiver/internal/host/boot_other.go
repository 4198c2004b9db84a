//go:build !linux

package host

import (
	"context"
	"os"
	"strings"
	"time"

	"github.com/shirou/gopsutil/v3/host"
)

// Uptime is the time since boot, in whole seconds.
func (h *Host) Uptime() (time.Duration, error) {
	seconds, err := host.UptimeWithContext(context.Background())
	if err != nil {
		return 0, portable("reading the uptime", err)
	}
	return time.Duration(seconds) * time.Second, nil
}

// BootTime is the instant of the boot. The first answer is kept: systems that work it out from the uptime give another one from
// second to second.
func (h *Host) BootTime(time.Time) (time.Time, error) {
	if !h.boot.IsZero() {
		return h.boot, nil
	}
	seconds, err := host.BootTimeWithContext(context.Background())
	if err != nil {
		return time.Time{}, portable("reading the boot time", err)
	}
	h.boot = time.Unix(bytesOf(seconds), 0)
	return h.boot, nil
}

// Present is now: these systems count the start of processes by the wall clock.
func (h *Host) Present(_, now time.Time) time.Time { return now }

// Identity reads the host's names and addresses from the system.
func (h *Host) Identity() Identity {
	ctx := context.Background()
	id := Identity{OSType: osType(), Arch: arch()}
	id.ID, _ = host.HostIDWithContext(ctx)
	id.Name, _ = os.Hostname()
	id.IPs, id.MACs = addresses()
	if name, _, version, err := host.PlatformInformationWithContext(ctx); err == nil {
		id.Description = strings.TrimSpace(name + " " + version)
		id.OS.Name, id.OS.Version = name, version
	}
	id.OS.BuildID, _ = host.KernelVersionWithContext(ctx)
	return id
}
