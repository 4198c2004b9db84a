package psutilreceiver

import (
	"context"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
)

// BenchmarkShownProcess is what follows upon the reading of one process that is shown: its resource, its points, and their streams.
func BenchmarkShownProcess(b *testing.B) {
	groups, err := processReceiver(b).buildGroups()
	require.NoError(b, err)
	run := groups[0].runs[0]
	scraper := run.scraper.(*processScraper)
	_, err = run.scrape(context.Background())
	require.NoError(b, err)
	t := run.group.current
	t.passPart = func() {
		t.now = t.now.Add(time.Second)
		run.stage.Begin(t.now)
		run.stage.Edit(run.settings.mb.Emit())
	}
	snapshot, err := scraper.tracker.Scrape(scraper.trackerContext(&t))
	require.NoError(b, err)
	b.ReportAllocs()
	for b.Loop() {
		scraper.recordProcess(&t, snapshot.Shown[0])
	}
	require.NoError(b, groups[0].close())
}

// BenchmarkProcessScrape is one scrape of the process scraper by /proc on this host with so many idle processes more, all of them shown.
func BenchmarkProcessScrape(b *testing.B) {
	for _, n := range []int{1000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			startSleepers(b, n)
			groups, err := processReceiver(b).buildGroups()
			require.NoError(b, err)
			run := groups[0].runs[0]
			processes := 0
			b.ReportAllocs()
			for b.Loop() {
				md, err := run.scrape(context.Background())
				require.NoError(b, err)
				processes = md.ResourceMetrics().Len()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*processes), "ns/process")
			require.NoError(b, groups[0].close())
		})
	}
}

// processReceiver is a receiver of what hostmetricsreceiver emits of processes by default, of every process.
func processReceiver(b *testing.B) *psutilReceiver {
	b.Helper()
	cfg := createDefaultConfig().(*Config)
	cfg.Scrapers = offeredScrapers()
	process := cfg.Scrapers.Process.GetOrInsertDefault()
	process.Top.N, process.Other, process.Reader = 0, false, ProcessReaderProc
	cfg.Metrics.ProcessCPUUtilization.Enabled = false
	cfg.Metrics.ProcessChildrenCPUTime.Enabled = false
	cfg.Metrics.ProcessThreadCount.Enabled = false
	cfg.Metrics.SystemProcessCPUUnattributed.Enabled = false
	r, err := newReceiver(receivertest.NewNopSettings(metadata.Type), cfg, consumertest.NewNop())
	require.NoError(b, err)
	return r
}

func startSleepers(b *testing.B, n int) {
	b.Helper()
	for range n {
		cmd := exec.Command("sleep", strconv.Itoa(int(time.Hour.Seconds())))
		require.NoError(b, cmd.Start())
		b.Cleanup(func() {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		})
	}
}
