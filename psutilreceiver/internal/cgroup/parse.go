package cgroup

import (
	"bytes"
	"math"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/proctext"
)

// number reads a file of one number. "max" is no limit.
func number(v Value) func([]byte, *Sample) bool {
	return func(text []byte, s *Sample) bool {
		f, _ := proctext.Field(text)
		if string(f) == "max" {
			return true
		}
		n, ok := proctext.Int(f)
		if ok {
			s.Values[v] = n
		}
		return ok
	}
}

// key is a line of a file and the value that it has.
type key struct {
	name  string
	value Value
	unit  int64 // what a number is divided by; 0 is 1
}

// keyed reads lines of a key and a number. It reports false if a number can't be, or if there is none of the keys.
func keyed(text []byte, s *Sample, keys []key) (whole bool) {
	found, whole := false, true
	for rest := text; len(rest) > 0; {
		var l []byte
		l, rest = proctext.Line(rest)
		name, value := proctext.Field(l)
		for i := range keys {
			k := &keys[i]
			if string(name) != k.name {
				continue
			}
			found = true
			f, _ := proctext.Field(value)
			n, ok := proctext.Int(f)
			if !ok {
				whole = false
			} else if k.unit > 0 {
				n /= k.unit
			}
			if ok {
				s.Values[k.value] = n
			}
			break
		}
	}
	return whole && found
}

func parseCPUStat(text []byte, s *Sample) bool {
	return keyed(text, s, cpuStatKeys)
}

var cpuStatKeys = []key{
	{"user_usec", CPUUser, 0},
	{"system_usec", CPUSystem, 0},
	{"nr_periods", Periods, 0},
	{"nr_throttled", ThrottledPeriods, 0},
	{"throttled_usec", ThrottledTime, 0},
}

func parseCPUStat1(text []byte, s *Sample) bool { return keyed(text, s, cpuStat1Keys) }

const nanosecondsInMicrosecond = 1000

var cpuStat1Keys = []key{
	{"nr_periods", Periods, 0}, {"nr_throttled", ThrottledPeriods, 0}, {"throttled_time", ThrottledTime, nanosecondsInMicrosecond},
}

// parseCPUAcct reads times in ticks, of which there are a hundred a second.
func parseCPUAcct(text []byte, s *Sample) bool {
	whole := keyed(text, s, cpuAcctKeys)
	for _, v := range [...]Value{CPUUser, CPUSystem} {
		const tick = 10_000
		switch n := s.Values[v]; {
		case n > math.MaxInt64/tick:
			s.Values[v], whole = Absent, false
		case n > 0:
			s.Values[v] = n * tick
		}
	}
	return whole
}

var cpuAcctKeys = []key{{"user", CPUUser, 0}, {"system", CPUSystem, 0}}

// microCPUs is the limit that a quota of a period is, Absent if it can't be.
func microCPUs(quota, period int64) int64 {
	const million = 1_000_000
	if period <= 0 || quota < 0 || quota > math.MaxInt64/million {
		return Absent
	}
	return quota * million / period
}

// parseCPUMax reads a quota, which may be "max", and its period.
func parseCPUMax(text []byte, s *Sample) bool {
	q, rest := proctext.Field(text)
	p, _ := proctext.Field(rest)
	period, ok := proctext.Int(p)
	if string(q) == "max" {
		return ok
	}
	quota, good := proctext.Int(q)
	if ok = ok && good; ok {
		s.Values[CPULimit] = microCPUs(quota, period)
	}
	return ok && s.Values[CPULimit] >= 0
}

// parsePeriod keeps the period where the limit will be, for parseQuota.
func parsePeriod(text []byte, s *Sample) bool { return number(CPULimit)(text, s) }

// parseQuota makes the limit of the period and the quota, which is -1 where there is none.
func parseQuota(text []byte, s *Sample) bool {
	period := s.Values[CPULimit]
	s.Values[CPULimit] = Absent
	f, _ := proctext.Field(text)
	if string(f) == "-1" || period == Absent {
		return true
	}
	quota, ok := proctext.Int(f)
	if ok {
		s.Values[CPULimit] = microCPUs(quota, period)
	}
	return ok && s.Values[CPULimit] >= 0
}

func parseMemoryStat(text []byte, s *Sample) bool { return keyed(text, s, memoryStatKeys) }

var memoryStatKeys = []key{{"anon", MemoryRSS, 0}, {"inactive_file", MemoryInactiveFile, 0}, {"pgfault", FaultsMinor, 0}, {"pgmajfault", FaultsMajor, 0}}

// parseMemoryStat1 reads the keys that count the groups below, too.
func parseMemoryStat1(text []byte, s *Sample) bool {
	whole := keyed(text, s, memoryStat1Keys)
	if s.Values[MemoryLimit] >= unlimited1 {
		s.Values[MemoryLimit] = Absent
	}
	// The limit is of memory and swap together.
	switch limit := s.Values[SwapLimit]; {
	case limit >= unlimited1 || s.Values[MemoryLimit] < 0:
		s.Values[SwapLimit] = Absent
	case limit >= 0:
		s.Values[SwapLimit] = max(limit-s.Values[MemoryLimit], 0)
	}
	return whole
}

var memoryStat1Keys = []key{
	{"total_rss", MemoryRSS, 0},
	{"total_inactive_file", MemoryInactiveFile, 0},
	{"total_pgfault", FaultsMinor, 0},
	{"total_pgmajfault", FaultsMajor, 0},
	{"total_swap", SwapUsage, 0},
	{"hierarchical_memory_limit", MemoryLimit, 0},
	{"hierarchical_memsw_limit", SwapLimit, 0},
}

// unlimited1 is at most what version 1 writes for no limit: the largest count of bytes in whole pages, of up to 64 KiB.
const unlimited1 = math.MaxInt64 - 1<<20

// parseLimit1 reads the group's own limit, in place of that with the groups above.
func parseLimit1(text []byte, s *Sample) bool {
	s.Values[MemoryLimit] = Absent
	f, _ := proctext.Field(text)
	n, ok := proctext.Int(f)
	if ok && n < unlimited1 {
		s.Values[MemoryLimit] = n
	}
	return ok
}

func parseMemoryEvents(text []byte, s *Sample) bool { return keyed(text, s, memoryEventKeys) }

var memoryEventKeys = []key{{"high", EventHigh, 0}, {"max", EventMax, 0}, {"oom", EventOOM, 0}, {"oom_kill", EventOOMKill, 0}}

// parseOOMControl reads a file that has had the key that is read since Linux 4.13.
func parseOOMControl(text []byte, s *Sample) bool {
	return keyed(text, s, oomControlKeys) || bytes.Contains(text, []byte("under_oom")) && !bytes.Contains(text, []byte("oom_kill "))
}

var oomControlKeys = []key{{"oom_kill", EventOOMKill, 0}}

// deviceNumbers reads "8:16".
func deviceNumbers(f []byte) (major, minor uint32, ok bool) {
	a, b, ok := bytes.Cut(f, []byte(":"))
	if !ok {
		return 0, 0, false
	}
	x, okX := proctext.Uint(a)
	y, okY := proctext.Uint(b)
	return uint32(x), uint32(y), okX && okY && x <= math.MaxUint32 && y <= math.MaxUint32
}

// parseIOStat reads lines such as: 8:0 rbytes=4096 wbytes=0 rios=1 wios=0 dbytes=0 dios=0. Kernels from 5.12 to 6.4 write the numbers of a device
// without I/O before those of the next one, on one line.
func parseIOStat(text []byte, s *Sample) bool {
	whole := true
	for rest := text; len(rest) > 0; {
		var l []byte
		l, rest = proctext.Line(rest)
		var d *Device
		var major, minor uint32
		named := false
		for {
			var f []byte
			if f, l = proctext.Field(l); len(f) == 0 {
				break
			}
			name, value, pair := bytes.Cut(f, []byte("="))
			if !pair {
				if a, b, ok := deviceNumbers(f); ok {
					major, minor, named, d = a, b, true, nil
				} else if string(f) != "(unknown)" {
					whole = false
				}
				continue
			}
			if !named {
				whole = false
				break
			}
			n, ok := proctext.Int(value)
			if d == nil && ok {
				d = s.device(major, minor)
			}
			whole = addIO(d, string(name), n, ok) && whole
		}
	}
	return whole
}

// addIO adds one pair of a line of io.stat. Other keys, such as those of discards and of cost models, are passed over.
func addIO(d *Device, name string, n int64, ok bool) bool {
	switch name {
	case "rbytes", "wbytes", "rios", "wios":
		if !ok {
			return false
		}
	default:
		return true
	}
	switch name {
	case "rbytes":
		d.IO.ReadBytes = n
	case "wbytes":
		d.IO.WrittenBytes = n
	case "rios":
		d.IO.Reads = n
	case "wios":
		d.IO.Writes = n
	}
	return true
}

// blkio reads lines such as: 8:0 Read 4096. The last line has the sum of all. Where limits and the scheduler of a device count the same I/O, the one that
// counts for longer has more.
func blkio(bytesNotOperations bool) func([]byte, *Sample) bool {
	return func(text []byte, s *Sample) bool {
		whole := true
		for rest := text; len(rest) > 0; {
			var l []byte
			l, rest = proctext.Line(rest)
			numbers, l := proctext.Field(l)
			if string(numbers) == "Total" || len(numbers) == 0 {
				continue
			}
			major, minor, ok := deviceNumbers(numbers)
			what, l := proctext.Field(l)
			value, _ := proctext.Field(l)
			n, good := proctext.Int(value)
			if !ok || !good {
				whole = false
				continue
			}
			d := s.device(major, minor)
			switch read := string(what) == "Read"; {
			case read && bytesNotOperations:
				d.IO.ReadBytes = max(d.IO.ReadBytes, n)
			case read:
				d.IO.Reads = max(d.IO.Reads, n)
			case string(what) != "Write":
			case bytesNotOperations:
				d.IO.WrittenBytes = max(d.IO.WrittenBytes, n)
			default:
				d.IO.Writes = max(d.IO.Writes, n)
			}
		}
		return whole
	}
}

func pressureOf(r Resource) (values []Value) {
	for i := range Value(8) {
		values = append(values, Pressure(r, false, Stall10s)+i)
	}
	return values
}

// pressure reads lines such as: some avg10=1.52 avg60=1.10 avg300=0.83 total=48120331.
func pressure(r Resource) func([]byte, *Sample) bool {
	return func(text []byte, s *Sample) bool {
		found, whole := false, true
		for rest := text; len(rest) > 0; {
			var l []byte
			l, rest = proctext.Line(rest)
			kind, values := proctext.Field(l)
			full := string(kind) == "full"
			if !full && string(kind) != "some" {
				continue
			}
			found = true
			whole = parseStalls(values, s.Values[Pressure(r, full, Stall10s):][:4]) && whole
		}
		return found && whole
	}
}

// parseStalls reads the four values of a line, in their order of Stall.
func parseStalls(values []byte, to []int64) bool {
	read, whole := 0, true
	for {
		var f []byte
		if f, values = proctext.Field(values); len(f) == 0 {
			return whole && read == len(to)
		}
		name, value, _ := bytes.Cut(f, []byte("="))
		n, ok := proctext.Decimal(value)
		const most = 101 // percent: a rounding may be above all
		switch at := stallOf(string(name)); {
		case at < 0:
		case at == int(StallTotal) && ok && n < math.MaxInt64:
			to[at], read = int64(n), read+1
		case at < int(StallTotal) && ok && n < most:
			to[at], read = int64(math.Round(min(n, 100)*100)), read+1
		default:
			whole = false
		}
	}
}

func stallOf(name string) int {
	switch name {
	case "avg10":
		return int(Stall10s)
	case "avg60":
		return int(Stall1m)
	case "avg300":
		return int(Stall5m)
	case "total":
		return int(StallTotal)
	}
	return -1
}
