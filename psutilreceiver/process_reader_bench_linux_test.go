package psutilreceiver

import (
	"context"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"golang.org/x/sys/unix"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
)

// BenchmarkProcessReaders is one scrape of the process scraper in CPU time, by both readers: in the default configuration, and with all processes shown.
func BenchmarkProcessReaders(b *testing.B) {
	for _, n := range []int{1000} {
		startSleepers(b, n)
		for _, all := range []bool{false, true} {
			for _, reader := range []ProcessReader{ProcessReaderProc, ProcessReaderBPF} {
				name := "top"
				if all {
					name = "all"
				}
				b.Run(strconv.Itoa(n)+"/"+name+"/"+string(reader), func(b *testing.B) { benchmarkReader(b, reader, all) })
			}
		}
	}
}

func benchmarkReader(b *testing.B, reader ProcessReader, all bool) {
	b.Helper()
	if reader == ProcessReaderBPF {
		needsBPF(b)
	}
	cfg := createDefaultConfig().(*Config)
	cfg.Scrapers = offeredScrapers()
	process := cfg.Scrapers.Process.GetOrInsertDefault()
	process.Reader = reader
	if all {
		process.Top.N, process.Other = 0, false
	}
	r, err := newReceiver(receivertest.NewNopSettings(metadata.Type), cfg, consumertest.NewNop())
	require.NoError(b, err)
	groups, err := r.buildGroups()
	require.NoError(b, err)
	run := groups[0].runs[0]
	_, err = run.scrape(context.Background())
	require.NoError(b, err)
	b.ReportAllocs()
	before := usedBy(unix.RUSAGE_SELF)
	for b.Loop() {
		_, err := run.scrape(context.Background())
		require.NoError(b, err)
	}
	b.ReportMetric(float64(usedBy(unix.RUSAGE_SELF)-before)/float64(b.N)/1e6, "cpu-ms/scrape")
	require.NoError(b, groups[0].close())
}
