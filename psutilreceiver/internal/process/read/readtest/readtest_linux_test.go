package readtest

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/proctest"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/read"
)

func TestMain(m *testing.M) { proctest.Main(m, Roles()) }

// procReader is /proc's as the reader under test.
func procReader(t *testing.T) *read.Reader {
	t.Helper()
	r := read.New("")
	t.Cleanup(func() { assert.NoError(t, r.Close()) })
	return r
}

// TestBracketHoldsTheReaderOfProc has /proc read between two readings of /proc, while the mixture runs: what the bracket demands is what the kernel keeps.
func TestBracketHoldsTheReaderOfProc(t *testing.T) {
	StartMixture(t, 1, 20)
	b := NewBracket(procReader(t))
	// Its times are whole ticks.
	b.CoarseTimes = true
	defer func() { assert.NoError(t, b.Close()) }()
	b.RunFor(t, ScrapesWanted(2_000))
	t.Log(b.Report.String())
	for _, fault := range b.Report.Faults() {
		t.Error(fault)
	}
}

// broken is a reader with a fault.
type broken struct {
	*read.Reader
	fault func(*read.Sample)
	skip  func(*read.Sample) bool
}

func (b broken) Scan(visit func(*read.Sample)) error {
	return b.Reader.Scan(func(s *read.Sample) {
		if b.skip == nil || !b.skip(s) {
			visit(s)
		}
	})
}

func (b broken) Read(s *read.Sample, fields read.Fields) {
	b.Reader.Read(s, fields)
	if b.fault != nil {
		b.fault(s)
	}
}

// TestBracketFindsEachFault gives it readers that are each wrong in one thing of one process.
func TestBracketFindsEachFault(t *testing.T) {
	me := int32(os.Getppid())
	for what, source := range map[string]broken{
		"missing":              {skip: func(s *read.Sample) bool { return s.PID == me }},
		"parent":               {fault: func(s *read.Sample) { s.PPID++ }},
		"name":                 {fault: func(s *read.Sample) { s.SetComm("other") }},
		"nice":                 {fault: func(s *read.Sample) { s.Nice++ }},
		"user":                 {fault: func(s *read.Sample) { s.UID++ }},
		"fields":               {fault: func(s *read.Sample) { s.Have &^= read.FieldSwap }},
		"state":                {fault: func(s *read.Sample) { s.State = '?' }},
		"minor faults":         {fault: func(s *read.Sample) { s.Totals[read.MinorFaults] += 1e6 }},
		"major faults":         {fault: func(s *read.Sample) { s.Totals[read.MajorFaults] += 1e6 }},
		"logical reads":        {fault: func(s *read.Sample) { s.Totals[read.LogicalReadBytes] = 0 }},
		"disk writes":          {fault: func(s *read.Sample) { s.Totals[read.DiskWriteBytes] += 1 << 40 }},
		"children's faults":    {fault: func(s *read.Sample) { s.Children.Faults += 1e6 }},
		"children's user time": {fault: func(s *read.Sample) { s.Children.User += 2 * tick }},
		"CPU time by ticks":    {fault: func(s *read.Sample) { s.Totals[read.CPUUser] += 1e7 }},
		"resident":             {fault: func(s *read.Sample) { s.Levels[read.Resident] += 1 << 30 }},
		"shared":               {fault: func(s *read.Sample) { s.Levels[read.Shared] += 1 << 30 }},
		"virtual":              {fault: func(s *read.Sample) { s.Levels[read.Virtual]++ }},
		"threads":              {fault: func(s *read.Sample) { s.Levels[read.Threads]++ }},
		"descriptors":          {fault: func(s *read.Sample) { s.Levels[read.Descriptors]++ }},
		"swap":                 {fault: func(s *read.Sample) { s.Levels[read.Swap]++ }},
		"signals pending":      {fault: func(s *read.Sample) { s.Levels[read.SignalsPending]++ }},
	} {
		t.Run(what, func(t *testing.T) {
			source.Reader = procReader(t)
			b := NewBracket(source)
			b.CoarseTimes = true
			b.only = func(s *read.Sample) bool { return s.PID == me || s.PID == int32(os.Getpid()) }
			defer func() { assert.NoError(t, b.Close()) }()
			// Levels of a process that ran meanwhile are not compared for being equal.
			for end := time.Now().Add(time.Minute); b.Report.faults[what] == 0 && time.Now().Before(end); {
				require.NoError(t, b.Round())
			}
			assert.Contains(t, b.Report.faults, what)
		})
	}
}

// TestStormsParentsKnowWhatTheirChildrenUsed runs a small one.
func TestStormsParentsKnowWhatTheirChildrenUsed(t *testing.T) {
	storm := RunStorm(t, StormPrefix(), 2, 1000)
	assert.Len(t, storm, 2*8)
	assert.InDelta(t, 1000, storm.Processes(), 40)
	for name, used := range storm {
		assert.LessOrEqual(t, len(name), 15)
		assert.Positive(t, used.User+used.System, name)
		assert.Positive(t, used.MinorFaults, name)
		assert.Less(t, used.User+used.System, uint64(1e9), name)
	}
	ends := Ends{ByName: storm}
	wrong, lines := ends.Compare(storm)
	assert.Empty(t, wrong)
	for _, line := range lines {
		t.Log(line)
	}
}
