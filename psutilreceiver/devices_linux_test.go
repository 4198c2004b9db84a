package psutilreceiver

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
)

// changingHost is a host whose files change between the scrapes of one scraper, ten seconds apart.
type changingHost struct {
	root     string
	settings scraperSettings
	current  scrapeContext
}

// changingHostWith is a host that begins with these files.
func changingHostWith(t *testing.T, files map[string]string) *changingHost {
	t.Helper()
	h := &changingHost{root: t.TempDir()}
	require.NoError(t, os.Mkdir(filepath.Join(h.root, "proc"), 0o755))
	for name, text := range files {
		h.put(t, name, text)
	}
	h.settings = scraperSettingsOf(t, h.root, nil)
	h.current = *fixtureScrape()
	return h
}

func (h *changingHost) put(t *testing.T, name, text string) {
	t.Helper()
	path := filepath.Join(h.root, name)
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
}

// scrape runs the scraper as its group would.
func (h *changingHost) scrape(t *testing.T, s scraper) pmetric.Metrics {
	t.Helper()
	previous := h.current
	now := previous.now.Add(10 * time.Second)
	h.current = scrapeContext{
		now: now, time: pcommon.NewTimestampFromTime(now), boot: previous.boot, previous: previous.time, elapsed: now.Sub(previous.now),
	}
	h.settings.host.Begin()
	h.settings.mb.Reset(metadata.WithStartTime(h.current.boot))
	h.settings.starts.Begin(h.current.time)
	require.NoError(t, s.scrape(&h.current))
	h.settings.starts.End(true)
	return h.settings.mb.Emit()
}

// startsOf gives the start of each point of a metric, by its attributes.
func startsOf(t *testing.T, md pmetric.Metrics, metric string) map[string]pcommon.Timestamp {
	t.Helper()
	starts := make(map[string]pcommon.Timestamp)
	for _, rm := range md.ResourceMetrics().All() {
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				if m.Name() != metric {
					continue
				}
				require.Equal(t, pmetric.MetricTypeSum, m.Type())
				for _, p := range m.Sum().DataPoints().All() {
					starts[attributesOf(p.Attributes())] = p.StartTimestamp()
				}
			}
		}
	}
	return starts
}

// valuesOf gives the values of an attribute among the points of a metric.
func valuesOf(t *testing.T, md pmetric.Metrics, metric, attribute string) []string {
	t.Helper()
	seen := make(map[string]bool)
	var values []string
	for _, rm := range md.ResourceMetrics().All() {
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				if m.Name() != metric {
					continue
				}
				require.Equal(t, pmetric.MetricTypeSum, m.Type())
				for _, p := range m.Sum().DataPoints().All() {
					v, ok := p.Attributes().Get(attribute)
					require.True(t, ok)
					if !seen[v.Str()] {
						seen[v.Str()] = true
						values = append(values, v.Str())
					}
				}
			}
		}
	}
	return values
}
