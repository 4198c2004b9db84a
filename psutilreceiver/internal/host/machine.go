package host

import (
	"bytes"
	"strings"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/proctext"
)

// OS is what a host runs. A field is empty where it is not known.
type OS struct {
	Name    string // NAME of os-release(5): Debian GNU/Linux
	Version string // VERSION_ID of os-release(5): 12
	BuildID string // release of the kernel: 6.1.0-28-amd64
}

// CPUModel is the model of a host's CPUs: that of the first of them. A field is empty, or 0, where it is not known.
type CPUModel struct {
	Vendor   string // GenuineIntel; of Arm the number of the implementer, 0x41
	Family   string // 6; of Arm the version of the architecture, 8
	ID       string // 106; of Arm the number of the part, 0xd0c
	Name     string // Intel(R) Xeon(R) Gold 6338 CPU @ 2.00GHz
	Stepping string
	L2       int64 // bytes of level 2 cache of a core
}

// Machine is what a host is made of. A field is empty where the firmware does not say it.
type Machine struct {
	Manufacturer string // Dell Inc.
	Model        string // PowerEdge R650
}

// fieldOf is the field of a line of /proc/cpuinfo: the names are those of x86, and then those of Arm.
func (m *CPUModel) fieldOf(key []byte) *string {
	switch string(key) {
	case "vendor_id", "CPU implementer":
		return &m.Vendor
	case "cpu family", "CPU architecture":
		return &m.Family
	case "model", "CPU part":
		return &m.ID
	case "model name":
		return &m.Name
	case "stepping", "CPU revision":
		return &m.Stepping
	}
	return nil
}

// parseCPUModel reads the lines of the first CPU of /proc/cpuinfo, up to the first empty one. The first line of a key counts.
func parseCPUModel(text []byte) CPUModel {
	var m CPUModel
	for len(text) > 0 {
		var l []byte
		l, text = proctext.Line(text)
		key, value, ok := bytes.Cut(l, []byte{':'})
		if !ok {
			if len(bytes.TrimSpace(l)) == 0 && m != (CPUModel{}) {
				break
			}
			continue
		}
		if dst := m.fieldOf(bytes.TrimSpace(key)); dst != nil && *dst == "" {
			*dst = strings.Join(strings.Fields(string(value)), " ")
		}
	}
	return m
}

// parseCacheSize reads the size of a cache, as 1024K, in bytes; 0 for other text.
func parseCacheSize(text []byte) int64 {
	number, unit := bytes.TrimSpace(text), int64(1)
	if n := len(number); n > 0 {
		switch number[n-1] {
		case 'K':
			number, unit = number[:n-1], 1<<10
		case 'M':
			number, unit = number[:n-1], 1<<20
		}
	}
	v, ok := proctext.Int(number)
	if !ok || v > maxCacheSize/unit {
		return 0
	}
	return v * unit
}

const maxCacheSize = 1 << 40

// firmwareText is what the firmware says, without the words that stand there where a maker has filled in nothing.
func firmwareText(text string) string {
	text = strings.Trim(text, " \t\n\x00")
	switch strings.ToLower(text) {
	case "to be filled by o.e.m.", "system manufacturer", "system product name", "default string", "not specified", "not applicable", "unknown", "none", "n/a",
		"o.e.m.", "oem", "empty", "undefined", "default":
		return ""
	}
	return text
}
