package kernel

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/vmtest/points"
	"github.com/otelcol-psutil/otelcol-psutil/vmtest/protocol"
)

// slack is how long after its time a point may still have been read: a scrape under emulation, on a host with other work, takes its time.
const slack = 800 * time.Millisecond

// Recording has snapshots in the order in which they were taken.
type Recording []*protocol.Snapshot

// Around gives the snapshots in which the reading of a point of this time lies: the last that was over before, and all up to the
// first that began when it was certainly done. The wall clock must not have been set meanwhile.
func (r Recording) Around(t int64) Recording {
	first := -1
	for i, s := range r {
		if s.After.Realtime <= t {
			first = i
		}
		if first >= 0 && s.Before.Realtime >= t+int64(slack) {
			return r[first : i+1]
		}
	}
	return nil
}

// Between gives the snapshots from the first to the second point in time of the wall clock.
func (r Recording) Between(from, to int64) Recording {
	var found Recording
	for _, s := range r {
		if s.Before.Realtime >= from && s.After.Realtime <= to {
			found = append(found, s)
		}
	}
	return found
}

// tolerance is by how much a counter may be off that the kernel does not keep exactly.
func tolerance(metric string) float64 {
	if metric == "system.cpu.time" {
		return 0.05 // Idle and iowait may fall by some ticks (proc(5)), and are held by the receiver.
	}
	return 1e-6
}

// Compare holds each total against the values that the kernel gave before and after it was read. It returns what does not hold, and
// how many points were compared.
func (r Recording) Compare(ps points.Points) (wrong []string, compared int) {
	counters := make([]map[string]float64, len(r))
	index := make(map[*protocol.Snapshot]int, len(r))
	for i, s := range r {
		counters[i], index[s] = Counters(s), i
	}
	for _, p := range ps {
		if p.Kind != points.Total || p.Resource["process.pid"] != "" || p.Resource["process.group.name"] != "" {
			continue
		}
		around := r.Around(p.Time)
		if len(around) == 0 {
			continue
		}
		low, ok := counters[index[around[0]]][p.Key()]
		high, also := counters[index[around[len(around)-1]]][p.Key()]
		if !ok || !also {
			continue // a device that came or went
		}
		compared++
		if t := tolerance(p.Metric); p.Value < math.Min(low, high)-t || p.Value > math.Max(low, high)+t {
			wrong = append(wrong, fmt.Sprintf("the kernel said %v, and then %v: %v", low, high, p))
		}
	}
	return wrong, compared
}

// CompareLevels holds some gauges against the least and the most that the kernel said around the time of the point.
func (r Recording) CompareLevels(ps points.Points) (wrong []string) {
	for _, c := range []struct {
		metric    string
		of        func(*protocol.Snapshot) float64
		tolerance float64
	}{
		{"system.memory.limit", func(s *protocol.Snapshot) float64 { return Memory(s, "MemTotal") }, 0},
		{"system.memory.linux.available", func(s *protocol.Snapshot) float64 { return Memory(s, "MemAvailable") }, 16 << 20},
		{"system.cpu.logical.count", func(s *protocol.Snapshot) float64 { return float64(len(CPUs(s))) }, 0},
		{"system.uptime", func(s *protocol.Snapshot) float64 { return float64(s.Before.Boottime) / 1e9 }, 0.3},
		{"system.cpu.load_average.1m", func(s *protocol.Snapshot) float64 { return number(strings.Fields(s.Files["/proc/loadavg"])[0]) }, 1e-9},
	} {
		for _, p := range ps.Of(c.metric) {
			low, high := math.Inf(1), math.Inf(-1)
			around := r.Around(p.Time)
			for _, s := range around {
				low, high = math.Min(low, c.of(s)), math.Max(high, c.of(s))
			}
			if len(around) > 0 && (p.Value < low-c.tolerance || p.Value > high+c.tolerance) {
				wrong = append(wrong, fmt.Sprintf("the kernel said between %v and %v: %v", low, high, p))
			}
		}
	}
	return wrong
}

// Spanning gives the snapshots of an interval: from the last before its begin to the first after its end.
func (r Recording) Spanning(from, to int64) Recording {
	first, last := -1, -1
	for i, s := range r {
		if s.Before.Realtime <= from {
			first = i
		}
		if last < 0 && s.Before.Realtime >= to {
			last = i
		}
	}
	if first < 0 || last < 0 {
		return nil
	}
	return r[first : last+1]
}

// Growth adds up what the CPUs did from snapshot to snapshot, each as long as it was there.
func (r Recording) Growth() Times {
	var sum Times
	for i := 1; i < len(r); i++ {
		for mode, v := range Growth(r[i-1], r[i]) {
			sum[mode] += v
		}
	}
	return sum
}

// Range gives the least and the most that a counter had. It is not ok if a snapshot lacks it.
func (r Recording) Range(key string) (low, high float64, ok bool) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, s := range r {
		v, ok := Counters(s)[key]
		if !ok {
			return 0, 0, false
		}
		low, high = math.Min(low, v), math.Max(high, v)
	}
	return low, high, len(r) > 0
}

// MonotonicAfter gives the monotonic clock at a time of the wall clock that may have been set: each instant after another at which the
// wall clock said that, as far as it was recorded.
func (r Recording) MonotonicAfter(last time.Duration, t int64) (instants []time.Duration) {
	const (
		near = 500 * time.Millisecond // two snapshots apart
		same = 10 * time.Millisecond
	)
	for _, s := range r {
		apart := time.Duration(t - s.After.Realtime)
		now := time.Duration(s.After.Monotonic) + apart
		known := len(instants) > 0 && (now-instants[len(instants)-1]).Abs() < same
		if apart.Abs() <= near && now > last && !known {
			instants = append(instants, now)
		}
	}
	return instants
}
