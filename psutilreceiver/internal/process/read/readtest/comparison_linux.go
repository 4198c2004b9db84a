package readtest

import (
	"fmt"
	"strings"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/read"
)

// A comparison is that of one process in one round.
type comparison struct {
	report               *Report
	before, under, after *read.Sample
}

func describe(s *read.Sample) string {
	return fmt.Sprintf("pid %d %q start %d state %c threads %d", s.PID, s.Comm(), s.Start, s.State, s.Levels[read.Threads])
}

func (c *comparison) wrong(what, format string, args ...any) {
	c.report.wrong(what, "%s: %s", describe(c.under), fmt.Sprintf(format, args...))
}

// compareState compares what a process is. What has changed meanwhile can't be compared; the loads change nothing there and back.
func (c *comparison) compareState() {
	b, u, a := c.before, c.under, c.after
	equal(c, "parent", b.PPID, u.PPID, a.PPID)
	equal(c, "name", b.Comm(), u.Comm(), a.Comm())
	equal(c, "nice", b.Nice, u.Nice, a.Nice)
	equal(c, "user", b.UID, u.UID, a.UID)
	equal(c, "has user", b.HasUID, u.HasUID, a.HasUID)
	equal(c, "kernel thread", b.KernelThread, u.KernelThread, a.KernelThread)
	equal(c, "fields", b.Have&Compared, u.Have&Compared, a.Have&Compared)
	equal(c, "first thread has exited", b.LiveThread != 0, u.LiveThread != 0, a.LiveThread != 0)
	if b.State == 'Z' || c.didNothing() {
		equal(c, "state", b.State, u.State, a.State)
	}
	if !strings.ContainsRune("RSDZTtXIPKW", rune(u.State)) {
		c.wrong("state", "no letter of the kernel")
	}
}

func equal[T comparable](c *comparison, what string, before, under, after T) {
	if before != after {
		return
	}
	c.report.Compared[what]++
	if under != before {
		c.wrong(what, "%v, and the kernel says %v before and after", under, before)
	}
}

// between holds a counter.
func (c *comparison) between(what string, low, value, high uint64) {
	c.report.Compared[what]++
	if value < low || value > high {
		c.wrong(what, "%d is not between %d and %d", value, low, high)
	}
}

func (c *comparison) have(f read.Fields) bool {
	return c.before.Have&c.under.Have&c.after.Have&f == f
}

func (c *comparison) compareCounters(rawIO map[int32][4]uint64, own bool) {
	b, u, a := c.before, c.under, c.after
	for _, f := range []struct {
		counter read.Counter
		name    string
	}{{read.MinorFaults, "minor faults"}, {read.MajorFaults, "major faults"}} {
		if c.have(f.counter.Field()) {
			c.between(f.name, b.Totals[f.counter], u.Totals[f.counter], a.Totals[f.counter])
		}
	}
	if c.have(read.FieldChildrenFaults) {
		c.between("children's faults", b.Children.Faults, u.Children.Faults, a.Children.Faults)
	}
	for i := range 4 {
		counter := read.DiskReadBytes + read.Counter(i)
		if !c.have(counter.Field()) {
			continue
		}
		value := u.Totals[counter]
		if own {
			raw, ok := rawIO[u.PID]
			if !ok {
				c.wrong("raw I/O", "there is none")
				continue
			}
			c.between("own I/O", 0, value, raw[i])
			value = raw[i]
		}
		c.between(counterNames[counter], b.Totals[counter], value, a.Totals[counter])
	}
	// Of threads that exit the switches go, so that the sum may fall.
	if c.have(read.FieldSwitches) && b.Levels[read.Threads] == 1 && u.Levels[read.Threads] == 1 && a.Levels[read.Threads] == 1 {
		for _, counter := range []read.Counter{read.VoluntarySwitches, read.InvoluntarySwitches} {
			c.between(counterNames[counter], b.Totals[counter], u.Totals[counter], a.Totals[counter])
		}
	}
}

var counterNames = [read.NumCounters]string{
	read.CPUUser: "user time", read.CPUSystem: "system time", read.MinorFaults: "minor faults", read.MajorFaults: "major faults",
	read.DiskReadBytes: "disk reads", read.DiskWriteBytes: "disk writes", read.LogicalReadBytes: "logical reads", read.LogicalWriteBytes: "logical writes",
	read.VoluntarySwitches: "voluntary switches", read.InvoluntarySwitches: "involuntary switches",
}

const (
	tick       = 10_000 // of /proc, in µs
	splitApart = 2 * tick
)

// compareTimes holds times. The sum of user and system time is what the process ran, which its clock gives to the nanosecond: of that each of the two
// loses less than a microsecond. How the kernel splits it depends on when it was asked before, for it never lets one of the two fall and keeps what it
// said. The reader keeps what it said itself, of which the kernel knows nothing: where both have kept different splits, neither part of which may fall, they are
// apart until the process has run on. So each of the two has what it had before at least, and what is left of the sum at most, to two ticks.
func (c *comparison) compareTimes(before, after map[int32]uint64, coarse bool) {
	b, u, a := c.before, c.under, c.after
	if !c.have(read.FieldCPU) {
		return
	}
	sum := u.Totals.CPU()
	c.between("CPU time by ticks", b.Totals.CPU(), sum, a.Totals.CPU()+2*tick)
	low, ok := before[u.PID]
	high, also := after[u.PID]
	if ok && also && !coarse {
		c.between("CPU time by clock", low-min(low, 2), sum, high+1)
	}
	for _, counter := range []read.Counter{read.CPUUser, read.CPUSystem} {
		other := read.CPUUser + read.CPUSystem - counter
		low := b.Totals[counter] - min(b.Totals[counter], splitApart)
		c.between(counterNames[counter], low, u.Totals[counter], a.Totals.CPU()+2*tick+splitApart-b.Totals[other])
		if u.Totals[counter] < b.Totals[counter] {
			c.report.SplitBeyond = max(c.report.SplitBeyond, b.Totals[counter]-u.Totals[counter])
		}
		if most := a.Totals[counter] + tick; u.Totals[counter] > most {
			c.report.SplitBeyond = max(c.report.SplitBeyond, u.Totals[counter]-most)
		}
	}
	if c.have(read.FieldReaped) {
		c.between("children's user time", b.Children.User, u.Children.User, a.Children.User+tick)
		c.between("children's system time", b.Children.System, u.Children.System, a.Children.System+tick)
	}
}

// didNothing tells whether no thread of the process ran between the two readings by /proc.
func (c *comparison) didNothing() bool {
	b, a := c.before, c.after
	switches := [2]read.Counter{read.VoluntarySwitches, read.InvoluntarySwitches}
	for _, counter := range switches {
		if b.Totals[counter] != a.Totals[counter] {
			return false
		}
	}
	return c.have(read.FieldSwitches) && b.State == a.State && b.State != 'R' && b.Totals.CPU() == a.Totals.CPU() && b.Levels == a.Levels
}

var levelNames = [read.NumLevels]string{
	read.Resident: "resident", read.Virtual: "virtual", read.Threads: "threads", read.Shared: "shared", read.Swap: "swap", read.Descriptors: "descriptors",
	read.SignalsPending: "signals pending",
}

// compareLevels holds levels of a process that did nothing to be equal. Those of one that ran are to be within what they were before and after, but may have
// been elsewhere in between: how often they were is counted.
func (c *comparison) compareLevels(memoryError func(threads uint64) uint64) {
	nothing := c.didNothing()
	for level, name := range levelNames {
		if name == "" || !c.have(read.Level(level).Field()) {
			continue
		}
		b, u, a := c.before.Levels[level], c.under.Levels[level], c.after.Levels[level]
		var off uint64
		switch read.Level(level) {
		case read.Resident, read.Shared:
			off = memoryError(max(c.before.Levels[read.Threads], c.after.Levels[read.Threads]))
		}
		low, high := min(b, a), max(b, a)+off
		low -= min(low, off)
		switch {
		case nothing:
			c.between(name, low, u, high)
		case u < low || u > high:
			c.report.Compared[name+", busy"]++
			c.report.Unsettled[name]++
		default:
			c.report.Compared[name+", busy"]++
		}
	}
}

// compareLast holds what the reader says of a process against what it said one round before.
func (c *comparison) compareLast(last *read.Totals) {
	for counter := range read.NumCounters {
		if counter == read.VoluntarySwitches || counter == read.InvoluntarySwitches || c.under.Have&counter.Field() == 0 {
			continue
		}
		c.report.Compared["no fall"]++
		if c.under.Totals[counter] < last[counter] {
			c.wrong("no fall", "%s: %d after %d", counterNames[counter], c.under.Totals[counter], last[counter])
		}
	}
}
