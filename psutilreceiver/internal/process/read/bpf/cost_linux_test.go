//go:build amd64 || arm64

package bpf

import (
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/read"
)

// BenchmarkCPUTime is what a scan takes of a CPU for each process, in user and kernel mode.
func BenchmarkCPUTime(b *testing.B) {
	for name, scan := range map[string]func(*Reader) (int, error){
		"scan": func(r *Reader) (n int, err error) { err = r.Scan(func(*read.Sample) { n++ }); return },
		"kernel": func(r *Reader) (n int, err error) {
			r.written, err = r.programs.dump(r.written[:0])
			return len(r.written) / int(shortRecord), err
		},
		"proc": func(r *Reader) (n int, err error) { err = r.proc.Scan(func(*read.Sample) { n++ }); return },
	} {
		b.Run(name, func(b *testing.B) {
			r := newReader(b)
			processes := 0
			_, err := scan(r)
			require.NoError(b, err)
			before := cpuTime(b)
			for b.Loop() {
				n, err := scan(r)
				require.NoError(b, err)
				processes += n
			}
			b.ReportMetric(float64(cpuTime(b)-before)/float64(processes), "cpu-ns/process")
		})
	}
}

func cpuTime(b *testing.B) int64 {
	var u unix.Rusage
	require.NoError(b, unix.Getrusage(unix.RUSAGE_SELF, &u))
	return u.Utime.Nano() + u.Stime.Nano()
}
