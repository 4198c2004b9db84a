// Package kernel reads from recorded files of the kernel what the receiver's metrics should be, by code of its own.
package kernel

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/otelcol-psutil/otelcol-psutil/vmtest/points"
	"github.com/otelcol-psutil/otelcol-psutil/vmtest/protocol"
)

// userHZ is the unit of times in /proc/stat: hundredths of a second on every architecture that Linux has now.
const userHZ = 100

const sectorSize = 512 // of /proc/diskstats, whatever the disk's own

// Modes are the modes of CPU time in the order that Times have.
var Modes = [...]string{"user", "nice", "system", "idle", "iowait", "interrupt", "steal"}

// Idle is the place of idle in Modes.
const Idle = 3

// Times are a CPU's times in seconds.
type Times [len(Modes)]float64

// Total adds all modes.
func (t Times) Total() float64 {
	var sum float64
	for _, v := range t {
		sum += v
	}
	return sum
}

// CPUs gives the times of each CPU that is online.
func CPUs(s *protocol.Snapshot) map[int]Times {
	cpus := make(map[int]Times)
	for line := range strings.Lines(s.Files["/proc/stat"]) {
		words := strings.Fields(line)
		name, ok := strings.CutPrefix(words[0], "cpu")
		if number, err := strconv.Atoi(name); ok && err == nil {
			cpus[number] = timesOf(words[1:])
		}
	}
	return cpus
}

func timesOf(words []string) Times {
	n := numbers(words)
	t := Times{n[0], n[1], n[2], n[3], n[4], n[5] + n[6], n[7]}
	for i := range t {
		t[i] /= userHZ
	}
	return t
}

// Growth is what CPUs that are in both snapshots have done in between.
func Growth(a, b *protocol.Snapshot) Times {
	var sum Times
	before := CPUs(a)
	for number, now := range CPUs(b) {
		earlier, ok := before[number]
		if !ok {
			continue
		}
		for i := range now {
			sum[i] += now[i] - earlier[i]
		}
	}
	return sum
}

// Counters gives the value of each counter of the host that a snapshot has, by the point's Key.
func Counters(s *protocol.Snapshot) map[string]float64 {
	c := make(map[string]float64)
	cpuCounters(s, c)
	diskCounters(s.Files["/proc/diskstats"], c)
	networkCounters(s.Files["/proc/self/net/dev"], c)
	for _, stall := range pressure(s.Files["/proc/pressure/cpu"]) {
		c[points.Key("system.cpu.linux.pressure.total", "system.linux.pressure.stall_type", stall.kind)] = stall.seconds
	}
	for line := range strings.Lines(s.Files["/proc/vmstat"]) {
		if name, value, _ := strings.Cut(strings.TrimSpace(line), " "); name == "pgmajfault" {
			c[points.Key("system.paging.faults", "system.paging.fault.type", "major")] = number(value)
		}
	}
	return c
}

func cpuCounters(s *protocol.Snapshot, c map[string]float64) {
	for line := range strings.Lines(s.Files["/proc/stat"]) {
		words := strings.Fields(line)
		switch words[0] {
		case "cpu":
			for i, v := range timesOf(words[1:]) {
				c[points.Key("system.cpu.time", "cpu.mode", Modes[i])] = v
			}
		case "ctxt":
			c[points.Key("system.cpu.context_switches")] = number(words[1])
		case "intr":
			c[points.Key("system.cpu.interrupts")] = number(words[1])
		case "softirq":
			c[points.Key("system.cpu.soft_interrupts")] = number(words[1])
		case "processes":
			c[points.Key("system.process.created")] = number(words[1])
		}
	}
	for cpu, times := range CPUs(s) {
		for i, v := range times {
			c[points.Key("system.cpu.time", "cpu.logical_number", strconv.Itoa(cpu), "cpu.mode", Modes[i])] = v
		}
	}
}

func diskCounters(text string, c map[string]float64) {
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		name, n := words[2], numbers(words[3:])
		for i, direction := range []string{"read", "write"} {
			of := func(metric string) string {
				return points.Key(metric, "system.device", name, "disk.io.direction", direction)
			}
			column := n[4*i:]
			c[of("system.disk.operations")] = column[0]
			c[of("system.disk.merged")] = column[1]
			c[of("system.disk.io")] = column[2] * sectorSize
			c[of("system.disk.operation_time")] = column[3] / 1000
		}
		c[points.Key("system.disk.io_time", "system.device", name)] = n[9] / 1000
		c[points.Key("system.disk.weighted_io_time", "system.device", name)] = n[10] / 1000
	}
}

func networkCounters(text string, c map[string]float64) {
	for line := range strings.Lines(text) {
		name, columns, ok := strings.Cut(line, ":")
		if !ok {
			continue
		}
		name = strings.TrimSpace(name)
		n := numbers(strings.Fields(columns))
		for i, direction := range []string{"receive", "transmit"} {
			of := func(metric, device string) string {
				return points.Key(metric, device, name, "network.io.direction", direction)
			}
			column := n[8*i:]
			c[of("system.network.io", "network.interface.name")] = column[0]
			c[of("system.network.packet.count", "system.device")] = column[1]
			c[of("system.network.errors", "network.interface.name")] = column[2]
			c[of("system.network.packet.dropped", "network.interface.name")] = column[3]
		}
	}
}

type stall struct {
	kind    string
	seconds float64
}

func pressure(text string) []stall {
	var stalls []stall
	for line := range strings.Lines(text) {
		if words := strings.Fields(line); len(words) > 0 {
			total := strings.TrimPrefix(words[len(words)-1], "total=")
			stalls = append(stalls, stall{words[0], number(total) / 1e6})
		}
	}
	return stalls
}

// Memory gives a line of /proc/meminfo in bytes.
func Memory(s *protocol.Snapshot, name string) float64 {
	for line := range strings.Lines(s.Files["/proc/meminfo"]) {
		if words := strings.Fields(line); words[0] == name+":" {
			return number(words[1]) * 1024
		}
	}
	panic(fmt.Sprintf("/proc/meminfo without %s", name))
}

func numbers(words []string) []float64 {
	n := make([]float64, len(words))
	for i, w := range words {
		n[i] = number(w)
	}
	return n
}

// number panics at what the kernel does not write.
func number(word string) float64 {
	v, err := strconv.ParseFloat(word, 64)
	if err != nil {
		panic(err)
	}
	return v
}
