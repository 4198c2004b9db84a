package host

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/proctext"
)

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

// parseStat reads the text of /proc/stat into s. Lines of other kinds are skipped, the very long intr and softirq ones
// after their first number.
func parseStat(text []byte, s *statSample) error {
	s.cpu.PerCPU = s.cpu.PerCPU[:0]
	s.kernel = noKernel
	haveTotal := false
	for len(text) > 0 {
		var l []byte
		l, text = proctext.Line(text)
		key, values := proctext.Field(l)
		if bytes.HasPrefix(key, []byte("cpu")) {
			t, ok := parseCPULine(key, values)
			if !ok {
				return malformed(statFile, l)
			}
			if t.Number < 0 {
				s.cpu.Total, haveTotal = t, true
				continue
			}
			if n := len(s.cpu.PerCPU); n > 0 && s.cpu.PerCPU[n-1].Number >= t.Number {
				return malformed(statFile, l)
			}
			s.cpu.PerCPU = append(s.cpu.PerCPU, t)
			continue
		}
		if dst := s.kernel.fieldOf(key); dst != nil {
			first, _ := proctext.Field(values)
			v, ok := proctext.Int(first)
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
		n, ok := proctext.Int(number)
		if !ok || n > 1<<20 {
			return t, false
		}
		t.Number = int(n)
	}
	var ticks [8]uint64
	count := 0
	for ; count < len(ticks); count++ {
		var f []byte
		f, values = proctext.Field(values)
		if len(f) == 0 {
			break
		}
		v, ok := proctext.Uint(f)
		if !ok {
			return t, false
		}
		ticks[count] = v
	}
	if count < 4 {
		return t, false
	}
	t.User, t.Nice = float64(ticks[0])/proctext.TicksPerSecond, float64(ticks[1])/proctext.TicksPerSecond
	t.System, t.Idle = float64(ticks[2])/proctext.TicksPerSecond, float64(ticks[3])/proctext.TicksPerSecond
	t.IOWait, t.Steal = float64(ticks[4])/proctext.TicksPerSecond, float64(ticks[7])/proctext.TicksPerSecond
	t.Interrupt = float64(ticks[5]+ticks[6]) / proctext.TicksPerSecond
	return t, true
}

// PhysicalCPUs counts the cores of the online CPUs: CPUs with the same thread_siblings_list, below /sys/devices/system/cpu, are
// threads of one core. Not core_id, which is 0 for all CPUs of machines without a description of their topology. ErrUnsupported
// where the kernel was built without topology.
func (h *Host) PhysicalCPUs() (int, error) {
	sample, err := h.CPU()
	if err != nil {
		return 0, err
	}
	siblings := make(map[string]struct{}, len(sample.PerCPU))
	for _, c := range sample.PerCPU {
		name := "sys/devices/system/cpu/cpu" + strconv.Itoa(c.Number) + "/topology/thread_siblings_list"
		if h.scratch, err = h.readOnce(name, h.scratch); err != nil {
			return 0, optional(err)
		}
		siblings[string(bytes.TrimSpace(h.scratch))] = struct{}{}
	}
	if len(siblings) == 0 {
		return 0, ErrUnsupported
	}
	return len(siblings), nil
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
	return found, failed
}

// kilohertz reads a cpufreq file into Hz: -1 when it is missing, or "<unknown>" as the kernel writes for an idle CPU.
func (h *Host) kilohertz(name string) (int64, error) {
	var err error
	if h.scratch, err = h.readOnce(name, h.scratch); err != nil {
		if errors.Is(optional(err), ErrUnsupported) {
			return absent, nil
		}
		return absent, fmt.Errorf("reading the CPU frequency: %w", err)
	}
	v, ok := proctext.Int(bytes.TrimSpace(h.scratch))
	if !ok || v > 1<<40 {
		return absent, nil
	}
	return v * 1000, nil
}
