package readtest

import (
	"fmt"
	"math"
	"os"
	"strconv"
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
