package readtest

import (
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/read"
)

// Compared are the fields that a bracket compares. Proportional and unique memory are read by /proc by every reader.
const Compared = read.FieldCPU | read.FieldMemory | read.FieldVirtual | read.FieldFaults | read.FieldThreads | read.FieldScheduling | read.FieldNice |
	read.FieldChildren | read.FieldShared | read.FieldDiskIO | read.FieldLogicalIO | read.FieldSwap | read.FieldSwitches | read.FieldDescriptors |
	read.FieldSignals

// A Bracket reads all processes by /proc, by the reader under test, and by /proc again, and compares.
type Bracket struct {
	Source read.Source
	// RawIO gives the I/O of a process as /proc/PID/io has it, with that of the children that it waited for, in the order of the counters from
	// [read.DiskReadBytes] on. It is nil where the source's own is that.
	RawIO func(pid int32) (io [4]uint64, ok bool)
	// EndedSwitches gives the voluntary and involuntary context switches of a process's threads that have ended, where the source counts them and /proc does not.
	EndedSwitches func(pid int32) (switches [2]uint64, ok bool)
	// Hidden is a process that this kernel does not show to programs, so that the source reads it from /proc. 0 if there is none.
	Hidden int32
	// MemoryError is by how many bytes the resident set of /proc may be off: see [MemoryErrorOf].
	MemoryError func(threads uint64) uint64
	// CoarseTimes says that the source gives times in whole ticks, as /proc does.
	CoarseTimes bool
	// ByProc tells which processes the source has read from /proc, times in whole ticks, too. It is nil where there are none.
	ByProc func(pid int32) bool

	only          func(*read.Sample) bool // the processes that are read, nil for all
	proc          *read.Reader
	before, after scan
	under         scan
	last          map[read.Key]read.Totals // of the reader under test, one round before
	Report        Report
}

// scan is one pass over all processes, with the CPU time of each by its clock, in µs, which the kernel keeps to the nanosecond.
type scan struct {
	samples map[read.Key]read.Sample
	clocks  map[int32]uint64
	rawIO   map[int32][4]uint64
	twice   []read.Key
}

// NewBracket returns a bracket around a source. It is closed with [Bracket.Close], which leaves the source open.
func NewBracket(source read.Source) *Bracket {
	return &Bracket{
		Source: source, proc: read.New(""), MemoryError: MemoryErrorOf(),
		Report: NewReport(),
	}
}

// Close closes the bracket's own reader.
func (b *Bracket) Close() error { return b.proc.Close() }

// Round compares all processes once.
func (b *Bracket) Round() error {
	if err := b.before.read(b.proc, nil, b.only); err != nil {
		return err
	}
	b.before.readClocks(b.before.samples)
	if err := b.under.read(b.Source, b.RawIO, b.only); err != nil {
		return err
	}
	if b.EndedSwitches != nil {
		b.under.takeOutEnded(b.EndedSwitches)
	}
	b.after.readClocks(b.before.samples)
	if err := b.after.read(b.proc, nil, b.only); err != nil {
		return err
	}
	for _, key := range b.under.twice {
		b.Report.wrong("twice in one scan", "%v", key)
	}
	for key, before := range b.before.samples {
		after, ok := b.after.samples[key]
		if !ok {
			continue // It has ended since.
		}
		b.compare(&before, &after)
	}
	b.last = make(map[read.Key]read.Totals, len(b.under.samples))
	for key, s := range b.under.samples {
		b.last[key] = s.Totals
	}
	b.Report.Rounds++
	return nil
}

func (s *scan) read(source read.Source, rawIO func(int32) ([4]uint64, bool), only func(*read.Sample) bool) error {
	s.samples = make(map[read.Key]read.Sample, len(s.samples))
	s.rawIO = make(map[int32][4]uint64, len(s.rawIO))
	s.twice = nil
	return source.Scan(func(p *read.Sample) {
		if only != nil && !only(p) {
			return
		}
		source.Read(p, Compared)
		if _, ok := s.samples[p.Key]; ok {
			s.twice = append(s.twice, p.Key)
		}
		s.samples[p.Key] = *p
		if rawIO != nil {
			if io, ok := rawIO(p.PID); ok {
				s.rawIO[p.PID] = io
			}
		}
	})
}

// takeOutEnded leaves of context switches those of the threads alive.
func (s *scan) takeOutEnded(ended func(int32) ([2]uint64, bool)) {
	for key, p := range s.samples {
		if switches, ok := ended(key.PID); ok {
			p.Totals[read.VoluntarySwitches] -= switches[0]
			p.Totals[read.InvoluntarySwitches] -= switches[1]
			s.samples[key] = p
		}
	}
}

func (s *scan) readClocks(samples map[read.Key]read.Sample) {
	s.clocks = make(map[int32]uint64, len(samples))
	for key := range samples {
		if used, ok := CPUClock(key.PID); ok {
			s.clocks[key.PID] = used
		}
	}
}

// compare holds what is said of one process that was there before and after.
func (b *Bracket) compare(before, after *read.Sample) {
	s, ok := b.under.samples[before.Key]
	if !ok && before.PID == b.Hidden {
		return
	}
	if !ok {
		b.Report.wrong("missing", "%s: not in the scan, or with another start", describe(before))
		return
	}
	c := comparison{report: &b.Report, before: before, under: &s, after: after}
	b.Report.Scrapes++
	c.compareState()
	c.compareCounters(b.under.rawIO, b.RawIO != nil)
	c.compareTimes(b.before.clocks, b.after.clocks, b.CoarseTimes || b.ByProc != nil && b.ByProc(c.under.PID))
	c.compareLevels(b.MemoryError)
	if last, ok := b.last[s.Key]; ok {
		c.compareLast(&last)
	}
}

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

// A Report is what came of the rounds of a bracket.
type Report struct {
	Rounds, Scrapes uint64            // Scrapes: processes compared, each once a round
	Compared        map[string]uint64 // by what was compared
	// Unsettled counts levels of processes that ran, and that were not within what /proc said before and after: a level may rise and fall between.
	Unsettled map[string]uint64
	// SplitBeyond is by how much, in µs, user or system time was most below what /proc said before, or above what it said later, beyond its tick.
	SplitBeyond uint64
	faults      map[string]uint64
	examples    []string
}

// NewReport returns an empty one.
func NewReport() Report {
	return Report{Compared: make(map[string]uint64), Unsettled: make(map[string]uint64), faults: make(map[string]uint64)}
}

// examplesOfEach fault are kept.
const examplesOfEach = 3

func (r *Report) wrong(what, format string, args ...any) {
	if r.faults[what]++; r.faults[what] <= examplesOfEach {
		r.examples = append(r.examples, what+": "+fmt.Sprintf(format, args...))
	}
}

// Faults says what does not hold, the count of each, and some examples.
func (r *Report) Faults() []string {
	if len(r.faults) == 0 {
		return nil
	}
	var all []string
	for what, count := range r.faults {
		all = append(all, fmt.Sprintf("%s: %d of %d", what, count, r.Compared[what]))
	}
	slices.Sort(all)
	return append(all, r.examples...)
}

// String gives the counts.
func (r *Report) String() string {
	var text strings.Builder
	fmt.Fprintf(&text, "%d rounds, %d processes compared, split beyond /proc's at most %d µs", r.Rounds, r.Scrapes, r.SplitBeyond)
	for _, what := range sortedKeys(r.Compared) {
		fmt.Fprintf(&text, "\n  %-28s %9d", what, r.Compared[what])
		if name, busy := strings.CutSuffix(what, ", busy"); busy {
			fmt.Fprintf(&text, ", of them %d elsewhere", r.Unsettled[name])
		}
	}
	return text.String()
}

func sortedKeys(m map[string]uint64) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// scrapesVariable names the environment variable with how many processes a bracket compares, each as often as it is read.
const scrapesVariable = "PROCESS_SCRAPES"

// ScrapesWanted is what the environment says, or else the given count.
func ScrapesWanted(otherwise uint64) uint64 {
	if n, err := strconv.ParseUint(os.Getenv(scrapesVariable), 10, 64); err == nil {
		return n
	}
	return otherwise
}

// limitVariable names the environment variable with a duration after which a bracket ends with what it has.
const limitVariable = "PROCESS_SCRAPES_WITHIN"

// RunFor compares until so many processes were, and prints how far it is, if that takes long.
func (b *Bracket) RunFor(tb testing.TB, scrapes uint64) {
	tb.Helper()
	limit, err := time.ParseDuration(os.Getenv(limitVariable))
	if err != nil {
		limit = math.MaxInt64
	}
	began := time.Now()
	for said := began; b.Report.Scrapes < scrapes && time.Since(began) < limit; {
		require.NoError(tb, b.Round())
		if time.Since(said) > 30*time.Second {
			said = time.Now()
			fmt.Fprintf(os.Stderr, "%v: %d of %d processes compared, %d rounds, %d kinds of faults\n",
				time.Since(began).Round(time.Second), b.Report.Scrapes, scrapes, b.Report.Rounds, len(b.Report.faults))
		}
	}
}
