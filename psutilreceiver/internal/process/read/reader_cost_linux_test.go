package read

import (
	"bytes"
	"math"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/proctest"
)

func TestNoAllocationOnTheLiveHost(t *testing.T) {
	r := liveReader(t)
	seen := 0
	visit := func(s *Sample) {
		r.Read(s, FieldDiskIO|FieldSwap|FieldSwitches|FieldDescriptors)
		seen++
	}
	require.NoError(t, r.Scan(visit))
	require.Greater(t, seen, 2)
	assert.LessOrEqual(t, testing.AllocsPerRun(5, func() { _ = r.Scan(visit) }), 1.0)
}

// BenchmarkScan reads 1,000 idle processes and what else the host runs. If CFLOOR names the program that bench/cfloor builds, it runs after
// each case over the same files, and the ratio of the two is reported. Of both the cheapest round counts: what other work on the machine adds
// to a round is neither's.
func BenchmarkScan(b *testing.B) {
	proctest.StartSleepers(b, 1000)
	for _, c := range []struct {
		name string
		want Fields
	}{
		{"stat", 0},
		{"stat_io", FieldDiskIO},
		{"stat_io_status_fd", FieldDiskIO | FieldSwap | FieldSwitches | FieldDescriptors},
	} {
		b.Run(c.name, func(b *testing.B) {
			r := liveReader(b)
			processes := 0
			visit := func(s *Sample) {
				r.Read(s, c.want)
				processes++
			}
			require.NoError(b, r.Scan(visit))
			b.ReportAllocs()
			least := math.Inf(1)
			for b.Loop() {
				processes = 0
				begin := proctest.CPUTime()
				if err := r.Scan(visit); err != nil {
					b.Fatal(err)
				}
				least = min(least, float64((proctest.CPUTime()-begin).Nanoseconds())/float64(processes))
			}
			b.ReportMetric(least, "cpu-ns/process")
			if floor := runFloor(b, c.name); floor > 0 {
				b.ReportMetric(floor, "floor-ns/process")
				b.ReportMetric(least/floor, "ratio")
			}
		})
	}
}

// runFloor returns what the C program needs for a process, or 0 if there is none for the case.
func runFloor(b *testing.B, name string) float64 {
	b.Helper()
	files := map[string][]string{"stat": {"stat"}, "stat_io": {"stat", "io"}}[name]
	program := os.Getenv("CFLOOR")
	if program == "" || files == nil {
		return 0
	}
	out, err := exec.Command(program, append([]string{strconv.Itoa(max(b.N, 30))}, files...)...).Output()
	require.NoError(b, err)
	value, err := strconv.ParseFloat(string(bytes.TrimSpace(out)), 64)
	require.NoError(b, err)
	return value
}

func BenchmarkParseStat(b *testing.B) {
	text := []byte(statText)
	var s Sample
	b.ReportAllocs()
	for b.Loop() {
		if !parseStat(text, 4096, &s) {
			b.Fatal("not parsed")
		}
	}
}
