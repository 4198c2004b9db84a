package harness

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// FirstNumber is the first number behind a key, in the first line of a file below a root that begins with the key.
func FirstNumber(t *testing.T, root, file, key string) float64 {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, file))
	require.NoError(t, err)
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, key); ok {
			v, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			require.NoError(t, err)
			return v
		}
	}
	require.Failf(t, "no such line", "%s in %s", key, file)
	return 0
}

// idleStep is how far the kernel's idle and iowait times may step back, in seconds: iowait is not exact, and what is taken off it is added
// to idle (proc(5)). The receiver holds the highest time. It is the bound that node_exporter found to hold in practice.
const idleStep = 3

// Tolerance is how far a counter that was read later may be below one of HostCounters that was read before, and the metric above one that
// was read after it.
func Tolerance(name string) float64 {
	switch name {
	case "system.cpu.time{cpu.mode=idle}", "system.cpu.time{cpu.mode=iowait}":
		return idleStep
	default:
		return 0
	}
}

// HostCounters is what the test itself reads of this host's kernel, in the units of the metrics, by the name and attributes of the point.
func HostCounters(t *testing.T) map[string]float64 {
	t.Helper()
	out := make(map[string]float64)
	fields := func(file string) [][]string {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		var rows [][]string
		for line := range strings.Lines(string(text)) {
			rows = append(rows, strings.Fields(line))
		}
		return rows
	}
	number := func(s string) float64 {
		v, err := strconv.ParseFloat(s, 64)
		require.NoError(t, err)
		return v
	}
	for _, row := range fields("/proc/stat") {
		switch row[0] {
		case "cpu":
			for i, mode := range []string{"user", "nice", "system", "idle", "iowait"} {
				out["system.cpu.time{cpu.mode="+mode+"}"] = number(row[1+i]) / 100
			}
			out["system.cpu.time{cpu.mode=interrupt}"] = (number(row[6]) + number(row[7])) / 100
		case "ctxt":
			out["system.cpu.context_switches"] = number(row[1])
		case "intr":
			out["system.cpu.interrupts"] = number(row[1])
		case "processes":
			out["system.process.created"] = number(row[1])
		}
	}
	for _, row := range fields("/proc/vmstat") {
		switch row[0] {
		case "pgmajfault":
			out["system.paging.faults{system.paging.fault.type=major}"] = number(row[1])
		case "pswpin":
			out["system.paging.operations{system.paging.direction=in,system.paging.fault.type=major}"] = number(row[1])
		}
	}
	for _, row := range fields("/proc/diskstats") {
		// A whole disk that is hardware stands on a device of its own.
		if _, err := os.Stat("/sys/block/" + row[2] + "/device"); err != nil {
			continue
		}
		device := ",system.device=" + row[2] + "}"
		out["system.disk.io{disk.io.direction=read"+device] = number(row[5]) * 512
		out["system.disk.io{disk.io.direction=write"+device] = number(row[9]) * 512
		out["system.disk.operations{disk.io.direction=read"+device] = number(row[3])
	}
	for _, row := range fields("/proc/net/dev")[2:] {
		name := strings.TrimSuffix(row[0], ":")
		if name != "lo" && !isOfDevice(name) {
			continue // Shown only by network: {virtual: true}, or where there is no device.
		}
		out["system.network.io{network.interface.name="+name+",network.io.direction=receive}"] = number(row[1])
		out["system.network.io{network.interface.name="+name+",network.io.direction=transmit}"] = number(row[9])
		out["system.network.packet.count{network.io.direction=receive,system.device="+name+"}"] = number(row[2])
	}
	return out
}

// isOfDevice tells whether a network interface is one of a device.
func isOfDevice(name string) bool {
	target, err := os.Readlink("/sys/class/net/" + name)
	return err == nil && !strings.Contains(target, "/virtual/")
}
