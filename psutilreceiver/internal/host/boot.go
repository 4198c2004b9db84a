package host

import "time"

// Identity names the host and its operating system. A field is empty where it is not known.
type Identity struct {
	ID          string // machine ID, as in /etc/machine-id
	Name        string
	Arch        string // as in the semantic conventions: amd64, arm64, x86…
	OSType      string // linux, darwin, windows…
	Description string // name and version of the operating system, for people
	IPs, MACs   []string
}

// bootTime is the boot instant that an uptime, read at now, tells.
func bootTime(now time.Time, uptime time.Duration) time.Time {
	return now.Round(0).Add(-uptime).Truncate(time.Millisecond)
}
