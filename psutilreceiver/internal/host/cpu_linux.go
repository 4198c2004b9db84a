package host

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/proctext"
)

// statSample is /proc/stat, parsed at most once a scrape for all that need it.
type statSample struct {
	parsed   bool
	separate bool  // soft interrupts are apart from hard ones
	err      error // that nothing could be read
	cpu      CPUSample
	kernel   KernelSample
	// Values that were left out alone.
	oddCPU, oddKernel oddValues
}

// SeparateSoftInterrupts has the times of soft interrupts apart from those of hard ones in what CPU gives from the next scrape on.
func (h *Host) SeparateSoftInterrupts() { h.stat.separate = true }

// CPU gives the times of all CPUs, from /proc/stat. The sample is valid until the next scrape, beside an error that IsOdd, too.
func (h *Host) CPU() (*CPUSample, error) {
	h.parseStat()
	return &h.stat.cpu, cmp.Or(h.stat.err, h.stat.oddCPU.err)
}

// Kernel gives the kernel's own totals, from /proc/stat. It is valid beside an error that IsOdd, too.
func (h *Host) Kernel() (*KernelSample, error) {
	h.parseStat()
	return &h.stat.kernel, cmp.Or(h.stat.err, h.stat.oddKernel.err)
}

func (h *Host) parseStat() {
	if h.stat.parsed {
		return
	}
	h.stat.parsed = true
	text, err := h.readHeld(statFile)
	if err == nil {
		err = parseStat(text, &h.stat)
	}
	h.stat.err = err
}

// parseStat reads the text of /proc/stat into s. Lines of other kinds are skipped, the very long intr and softirq ones
// after their first number. The error is that there is no CPU at all; single values that can't be are left out.
func parseStat(text []byte, s *statSample) error {
	s.cpu = CPUSample{PerCPU: s.cpu.PerCPU[:0]}
	s.kernel = noKernel
	s.oddCPU, s.oddKernel = oddValues{file: statFile}, oddValues{file: statFile}
	haveTotal, unknown := false, false // unknown: a CPU could not be told from the others
	var total []byte
	whole := text
	for len(text) > 0 {
		var l []byte
		l, text = proctext.Line(text)
		key, values := proctext.Field(l)
		if bytes.HasPrefix(key, []byte("cpu")) {
			t, ok := parseCPULine(key, values, s.separate, &s.oddCPU)
			switch {
			case ok && t.Number < 0 && haveTotal: // A second line of the name.
			case !ok:
				s.oddCPU.add(l)
				unknown = unknown || len(key) > len("cpu")
			case t.Number < 0:
				s.cpu.Total, haveTotal, total = t, true, l
			case !s.cpu.add(t):
				s.oddCPU.add(l)
			}
			continue
		}
		if dst := s.kernel.fieldOf(key); dst != nil {
			first, _ := proctext.Field(values)
			v, ok := proctext.Int(first)
			if !ok || (dst == &s.kernel.TasksRunning || dst == &s.kernel.TasksBlocked) && v > maxTasks {
				s.oddKernel.add(l)
				v = Odd
			}
			*dst = v
		}
	}
	s.cpu.Count = len(s.cpu.PerCPU)
	switch {
	case haveTotal:
		if s.cpu.Total.bound(maxCPUTime * float64(max(s.cpu.Count, 1))) {
			s.oddCPU.add(total)
		}
	case s.cpu.Count == 0:
		return malformed(statFile, whole)
	default:
		s.cpu.Total = CPUTimes{Number: absent, User: Odd, Nice: Odd, System: Odd, Idle: Odd, IOWait: Odd, Interrupt: Odd, Steal: Odd}
		s.cpu.Total.SoftInterrupt, s.cpu.Total.Separate = Odd, s.separate
		s.oddCPU.addFact("no line cpu")
	}
	if unknown {
		s.cpu.Count = Odd
	}
	return nil
}

// add puts a CPU in its place, and reports false if there is one of its number: the first line counts.
func (s *CPUSample) add(t CPUTimes) bool {
	at := len(s.PerCPU)
	if at > 0 && s.PerCPU[at-1].Number >= t.Number {
		var found bool
		if at, found = slices.BinarySearchFunc(s.PerCPU, t.Number, func(c CPUTimes, n int) int { return cmp.Compare(c.Number, n) }); found {
			return false
		}
	}
	s.PerCPU = slices.Insert(s.PerCPU, at, t)
	return true
}

// maxTasks is how many tasks there can be at once: PID_MAX_LIMIT of include/linux/threads.h.
const maxTasks = 1 << 22

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

// maxCPUTime is more than one CPU can have spent in a mode, in seconds: 68 years. Below it are all values that ran backwards through 0, whether
// the kernel counted in nanoseconds of 64 bits or in ticks.
const maxCPUTime = 1 << 31

// parseCPULine reads the numbers of a cpu line: user nice system idle iowait irq softirq steal guest guest_nice. Kernels before
// 2.6.11 end sooner; guest time is already within user and nice.
func parseCPULine(key, values []byte, separate bool, odd *oddValues) (CPUTimes, bool) {
	t := CPUTimes{Number: absent}
	indent := 2
	if number := key[len("cpu"):]; len(number) > 0 {
		n, ok := proctext.Int(number)
		if !ok || n > 1<<20 {
			return t, false
		}
		t.Number, indent = int(n), 1
	}
	for ; indent > 0 && len(values) > 0 && values[0] == ' '; indent-- {
		values = values[1:]
	}
	var seconds [8]float64
	count := 0
	for rest := values; count < len(seconds); count++ {
		f, after, ok := proctext.Column(rest)
		if !ok {
			break
		}
		rest = after
		v, ok := proctext.Int(f)
		if !ok {
			odd.add(values)
			v = Odd * proctext.TicksPerSecond
		}
		seconds[count] = float64(v) / proctext.TicksPerSecond
	}
	if count < 4 {
		return t, false
	}
	t.User, t.Nice, t.System, t.Idle, t.IOWait, t.Steal = seconds[0], seconds[1], seconds[2], seconds[3], seconds[4], seconds[7]
	if separate {
		t.Interrupt, t.SoftInterrupt, t.Separate = seconds[5], seconds[6], true
	} else {
		t.Interrupt = interruptsOf(seconds[5], seconds[6])
	}
	if t.Number >= 0 && t.bound(maxCPUTime) {
		odd.add(values)
	}
	return t, true
}

// interruptsOf is the time of hard and soft interrupts together.
func interruptsOf(hard, soft float64) float64 {
	if hard < 0 || soft < 0 {
		return Odd
	}
	// The sum of exact hundredths, which two roundings would not give.
	return math.Round((hard+soft)*proctext.TicksPerSecond) / proctext.TicksPerSecond
}

// bound makes each time Odd that is more than so many seconds, and reports whether there was one.
func (t *CPUTimes) bound(most float64) bool {
	found := false
	for _, v := range [...]*float64{&t.User, &t.Nice, &t.System, &t.Idle, &t.IOWait, &t.Interrupt, &t.Steal, &t.SoftInterrupt} {
		if *v > most {
			*v, found = Odd, true
		}
	}
	return found
}

// PhysicalCPUs counts the cores of the online CPUs: CPUs with the same thread_siblings_list, below /sys/devices/system/cpu, are
// threads of one core. Not core_id, which is 0 for all CPUs of machines without a description of their topology. ErrUnsupported
// where the kernel was built without topology.
func (h *Host) PhysicalCPUs() (int, error) {
	sample, err := h.CPU()
	if err != nil && !IsOdd(err) {
		return 0, err
	}
	if sample.Count < 0 {
		return 0, ErrUnsupported
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
	if err != nil && !IsOdd(err) {
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
