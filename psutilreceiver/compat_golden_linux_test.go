package psutilreceiver

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/golden"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/pdatatest/pmetrictest"
	"github.com/stretchr/testify/require"
)

// inOldForm sets `compat: hostmetrics` as decoding a configuration does, and turns on every metric that hostmetricsreceiver has, too.
func inOldForm(cfg *Config) {
	cfg.Compat = compatHostmetrics
	cfg.offerHostmetrics()
	m := &cfg.Metrics
	m.SystemCPUFrequency.Enabled = true
	m.SystemMemoryLinuxShared.Enabled = true
	m.ProcessMemoryUtilization.Enabled = true
	m.ProcessPagingFaults.Enabled = true
	m.ProcessContextSwitches.Enabled = true
	m.ProcessUnixFileDescriptorCount.Enabled = true
	m.ProcessUptime.Enabled = true
	m.ProcessSignalsPending.Enabled = true
	cfg.ResourceAttributes.ProcessLinuxCgroup.Enabled = true
}

// TestGoldenHostsInOldForm compares all that the receiver says of a fixture host with `compat: hostmetrics` with its golden file.
func TestGoldenHostsInOldForm(t *testing.T) {
	for _, temporality := range []Temporality{TemporalityCumulative, TemporalityDelta} {
		t.Run(string(temporality), func(t *testing.T) {
			got, warnings := scrapeTwice(t, "server-6.x", temporality, inOldForm)
			require.Empty(t, warnings.All(), "nothing to warn of")
			path := filepath.Join("testdata", "golden", "server-6.x.hostmetrics."+string(temporality)+".yaml")
			if *update {
				require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
				require.NoError(t, golden.WriteMetricsToFile(path, got, golden.SkipMetricTimestampNormalization()))
			}
			want, err := golden.ReadMetrics(path)
			require.NoError(t, err)
			require.NoError(t, pmetrictest.CompareMetrics(want, got,
				pmetrictest.IgnoreMetricValues("system.filesystem.usage", "system.filesystem.utilization", "system.filesystem.limit"),
				pmetrictest.IgnoreResourceMetricsOrder(), pmetrictest.IgnoreScopeMetricsOrder(), pmetrictest.IgnoreMetricsOrder(),
				pmetrictest.IgnoreMetricDataPointsOrder()))
		})
	}
}
