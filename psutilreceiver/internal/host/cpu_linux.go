package host

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
)

// userHZ is the unit of the times in /proc/stat and /proc/<pid>/stat: USER_HZ, which the kernel's interface to user space fixes
// at 100 on every architecture that Go supports, whatever CONFIG_HZ is.
const userHZ = 100

const statFile = "proc/stat"

// statSample is /proc/stat, parsed at most once a scrape for all that need it.
type statSample struct {
	parsed bool
	err    error
	cpu    CPUSample
	kernel KernelSample
}

// CPU gives the times of all CPUs, from /proc/stat. The sample is valid until the next scrape.
func (h *Host) CPU() (*CPUSample, error) {
	h.parseStat()
	return &h.stat.cpu, h.stat.err
}

// Kernel gives the kernel's own totals, from /proc/stat.
func (h *Host) Kernel() (*KernelSample, error) {
	h.parseStat()
	return &h.stat.kernel, h.stat.err
}

func (h *Host) parseStat() {
	if h.stat.parsed {
		return
	}
	h.stat.parsed = true
	text, err := h.read(statFile)
	if err == nil {
		err = parseStat(text, &h.stat)
	}
	h.stat.err = err
}

// parseStat reads the text of /proc/stat into s. Lines of other kinds are passed over, the very long intr and softirq ones
// after their first number.
func parseStat(text []byte, s *statSample) error {
	s.cpu.PerCPU = s.cpu.PerCPU[:0]
	s.kernel = noKernel
	haveTotal := false
	for len(text) > 0 {
		var l []byte
		l, text = line(text)
		key, values := field(l)
		if bytes.HasPrefix(key, []byte("cpu")) {
			t, ok := parseCPULine(key, values)
			if !ok {
				return malformed(statFile, l)
			}
			if t.Number < 0 {
				s.cpu.Total, haveTotal = t, true
			} else {
				s.cpu.PerCPU = append(s.cpu.PerCPU, t)
			}
			continue
		}
		if dst := s.kernel.fieldOf(key); dst != nil {
			first, _ := field(values)
			v, ok := intOf(first)
			if !ok {
				return malformed(statFile, l)
			}
			*dst = v
		}
	}
	if !haveTotal {
		return malformed(statFile, nil)
	}
	return nil
}

func (k *KernelSample) fieldOf(key []byte) *int64 {
	switch string(key) {
	case "ctxt":
		return &k.ContextSwitches
	case "intr":
		return &k.Interrupts
	case "softirq":
		return &k.SoftInterrupts
	case "processes":
		return &k.Forks
	case "procs_running":
		return &k.TasksRunning
	case "procs_blocked":
		return &k.TasksBlocked
	}
	return nil
}

// parseCPULine reads the numbers of a cpu line: user nice system idle iowait irq softirq steal guest guest_nice. Kernels before
// 2.6.11 end sooner; guest time is already within user and nice.
func parseCPULine(key, values []byte) (CPUTimes, bool) {
	t := CPUTimes{Number: absent}
	if number := key[len("cpu"):]; len(number) > 0 {
		n, ok := intOf(number)
		if !ok || n > 1<<20 {
			return t, false
		}
		t.Number = int(n)
	}
	var ticks [8]uint64
	count := 0
	for ; count < len(ticks); count++ {
		var f []byte
		f, values = field(values)
		if len(f) == 0 {
			break
		}
		v, ok := uintOf(f)
		if !ok {
			return t, false
		}
		ticks[count] = v
	}
	if count < 4 {
		return t, false
	}
	t.User, t.Nice = float64(ticks[0])/userHZ, float64(ticks[1])/userHZ
	t.System, t.Idle = float64(ticks[2])/userHZ, float64(ticks[3])/userHZ
	t.IOWait, t.Steal = float64(ticks[4])/userHZ, float64(ticks[7])/userHZ
	t.Interrupt = float64(ticks[5]+ticks[6]) / userHZ
	return t, true
}

// PhysicalCPUs counts the cores, from physical_package_id and core_id below /sys/devices/system/cpu. ErrUnsupported where
// the kernel gives no topology, as on some ARM and virtual machines.
func (h *Host) PhysicalCPUs() (int, error) {
	sample, err := h.CPU()
	if err != nil {
		return 0, err
	}
	type core struct{ pkg, id string }
	cores := make(map[core]struct{}, len(sample.PerCPU))
	var buf []byte
	for _, c := range sample.PerCPU {
		dir := "sys/devices/system/cpu/cpu" + strconv.Itoa(c.Number) + "/topology/"
		var parts [2]string
		for i, name := range [...]string{"physical_package_id", "core_id"} {
			if buf, err = h.readOnce(dir+name, buf); err != nil {
				return 0, optional(err)
			}
			parts[i] = string(bytes.TrimSpace(buf))
		}
		cores[core{parts[0], parts[1]}] = struct{}{}
	}
	return len(cores), nil
}

// CPUFrequencies gives the clocks of the online CPUs by rising number, from scaling_cur_freq, cpuinfo_min_freq and
// cpuinfo_max_freq in cpufreq below /sys/devices/system/cpu. ErrUnsupported without cpufreq, as in most virtual machines.
func (h *Host) CPUFrequencies() ([]CPUFrequency, error) {
	sample, err := h.CPU()
	if err != nil {
		return nil, err
	}
	var found []CPUFrequency
	var failed error
	for _, c := range sample.PerCPU {
		dir := "sys/devices/system/cpu/cpu" + strconv.Itoa(c.Number) + "/cpufreq/"
		f := CPUFrequency{Number: c.Number}
		var e1, e2, e3 error
		f.Current, e1 = h.kilohertz(dir + "scaling_cur_freq")
		f.Min, e2 = h.kilohertz(dir + "cpuinfo_min_freq")
		f.Max, e3 = h.kilohertz(dir + "cpuinfo_max_freq")
		failed = errors.Join(failed, e1, e2, e3)
		if f.Current >= 0 || f.Min >= 0 || f.Max >= 0 {
			found = append(found, f)
		}
	}
	if len(found) == 0 && failed == nil {
		return nil, ErrUnsupported
	}
	slices.SortFunc(found, func(a, b CPUFrequency) int { return a.Number - b.Number })
	return found, failed
}

// kilohertz reads a cpufreq file into Hz: -1 when it is missing, or "<unknown>" as the kernel writes for an idle CPU.
func (h *Host) kilohertz(name string) (int64, error) {
	text, err := h.readOnce(name, nil)
	if err != nil {
		if errors.Is(optional(err), ErrUnsupported) {
			return absent, nil
		}
		return absent, fmt.Errorf("reading the CPU frequency: %w", err)
	}
	v, ok := intOf(bytes.TrimSpace(text))
	if !ok || v > 1<<40 {
		return absent, nil
	}
	return v * 1000, nil
}
