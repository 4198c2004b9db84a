package psutilreceiver

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// TestNoLineGivesASecondPoint has each line of each file that a scrape opens twice: one after the other, and all again after the last. No two points
// of one metric of a batch have the same attributes, which pointValues holds.
func TestNoLineGivesASecondPoint(t *testing.T) {
	for _, name := range []string{"server-6.x", "kernel-4.4", "container"} {
		root := t.TempDir()
		require.NoError(t, os.CopyFS(root, os.DirFS(fixtureRoot(name))))
		configure := func(cfg *Config) {
			everyScraper(cfg)
			cfg.Scrapers.CPU.Get().PerCPU = true
		}
		opened := openedBelow(t, root, func() {
			f := startFixtureHost(t, root, configure)
			f.first(t)
			f.after(t, 10*time.Second)
		})
		require.Contains(t, opened, "proc/stat")
		f := startFixtureHost(t, root, configure)
		f.first(t)
		healthy := pointValues(t, f.after(t, 10*time.Second))
		for _, file := range opened {
			path := filepath.Join(root, file)
			text, err := os.ReadFile(path)
			require.NoError(t, err)
			lines := strings.SplitAfter(string(text), "\n")
			if len(lines) < 2 {
				continue
			}
			var eachTwice strings.Builder
			for _, line := range lines {
				eachTwice.WriteString(line + line)
			}
			for _, twice := range []string{eachTwice.String(), string(text) + string(text)} {
				f.write(t, file, twice)
				got := pointValues(t, f.after(t, 10*time.Second))
				if strings.HasSuffix(file, "/swaps") || strings.HasSuffix(file, "/diskstats") {
					for point := range healthy {
						assert.Contains(t, got, point, "%s of %s with lines twice", file, name)
					}
				}
			}
			f.write(t, file, string(text))
		}
	}
}

// TestNothingIsPassedOnWhenThereIsNothing: a batch without metrics would be an empty line in a file.
func TestNothingIsPassedOnWhenThereIsNothing(t *testing.T) {
	var passed int
	next := func(context.Context, pmetric.Metrics) error {
		passed++
		return nil
	}
	g := &scrapeGroup{resource: pcommon.NewResource()}
	pass := g.mergeHostResource(next)
	require.NoError(t, pass(t.Context(), pmetric.NewMetrics()))
	assert.Zero(t, passed)
	md := pmetric.NewMetrics()
	md.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics().AppendEmpty().SetEmptyGauge().DataPoints().AppendEmpty()
	require.NoError(t, pass(t.Context(), md))
	assert.Equal(t, 1, passed)
}
