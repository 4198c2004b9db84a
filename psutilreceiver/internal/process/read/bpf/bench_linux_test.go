//go:build linux && (amd64 || arm64)

package bpf

import (
	"math"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/proctest"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/read"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/read/readtest"
)

// BenchmarkReaderAlone is what reading takes of a CPU for each process, by /proc and by BPF, beside 1,000 and 5,000 idle processes: of the fields that
// come with the first read of either, and of all that BPF gives. The cheapest pass counts: what other work on the machine adds is neither's.
func BenchmarkReaderAlone(b *testing.B) {
	for _, count := range []int{1000, 5000} {
		b.Run(strconv.Itoa(count), func(b *testing.B) {
			proctest.StartSleepers(b, count)
			proc := read.New("")
			defer func() { assert.NoError(b, proc.Close()) }()
			readers := []struct {
				name   string
				source read.Source
			}{{"proc", proc}, {"bpf", newReader(b)}}
			for _, fields := range []struct {
				name string
				want read.Fields
			}{{"first", 0}, {"all", readtest.Compared &^ read.FieldShared}} {
				for _, r := range readers {
					b.Run(r.name+"/"+fields.name, func(b *testing.B) { benchmarkPass(b, r.source, fields.want) })
				}
			}
		})
	}
}

// BenchmarkIterator is what the kernel's part of a pass by BPF takes of a CPU for each process: the iterator, and the copy of what it writes.
func BenchmarkIterator(b *testing.B) {
	r := newReader(b)
	require.NoError(b, r.Scan(func(*read.Sample) {}))
	processes, began := 0, proctest.CPUTime()
	for b.Loop() {
		var err error
		r.written, err = r.programs.dump(r.written[:0])
		require.NoError(b, err)
		processes += len(r.written) / int(shortRecord)
	}
	b.ReportMetric(float64((proctest.CPUTime()-began).Nanoseconds())/float64(processes)/1000, "cpu-µs/process")
}

func benchmarkPass(b *testing.B, source read.Source, want read.Fields) {
	b.Helper()
	processes := 0
	visit := func(s *read.Sample) {
		source.Read(s, want)
		processes++
	}
	require.NoError(b, source.Scan(visit))
	least := math.Inf(1)
	b.ReportAllocs()
	for b.Loop() {
		processes = 0
		began := proctest.CPUTime()
		require.NoError(b, source.Scan(visit))
		least = min(least, float64((proctest.CPUTime()-began).Nanoseconds())/float64(processes))
	}
	b.ReportMetric(least/1000, "cpu-µs/process")
}
