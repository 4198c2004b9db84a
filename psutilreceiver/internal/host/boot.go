package host

import (
	"net"
	"runtime"
	"strings"
)

// Identity names the host and its operating system. A field is empty where it is not known.
type Identity struct {
	ID          string // machine ID, as in /etc/machine-id
	Name        string
	Arch        string // as in the semantic conventions: amd64, arm64, x86…
	OSType      string // as in the semantic conventions: linux, darwin, windows…
	Description string // name and version of the operating system, for people
	OS          OS
	CPU         CPUModel
	Machine     Machine
	IPs, MACs   []string
}

// arch is the value of host.arch for the architecture that this program was built for.
func arch() string {
	switch runtime.GOARCH {
	case "386":
		return "x86"
	case "arm":
		return "arm32"
	case "ppc64le":
		return "ppc64"
	}
	return runtime.GOARCH
}

// osType is the value of os.type for the system that this program was built for.
func osType() string {
	switch runtime.GOOS {
	case "dragonfly":
		return "dragonflybsd"
	case "illumos":
		return "solaris"
	}
	return runtime.GOOS
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
