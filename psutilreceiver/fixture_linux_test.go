package psutilreceiver

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/host"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/stream"
)

// fixtureRoot is the root of one of the hosts in testdata/hosts of this module.
func fixtureRoot(name string) string { return filepath.Join("..", "testdata", "hosts", name) }

// fixtureScrape is the only scrape of a fixture host, which booted an hour before.
func fixtureScrape() *scrapeContext {
	now := time.Unix(1_800_000_000, 0)
	return &scrapeContext{now: now, time: pcommon.NewTimestampFromTime(now), boot: pcommon.NewTimestampFromTime(now.Add(-time.Hour))}
}

// scraperSettingsOf is what a scraper of the host below root is built from. Metrics changes which are enabled; nil leaves the defaults.
func scraperSettingsOf(t *testing.T, root string, metrics func(*metadata.MetricsConfig)) scraperSettings {
	t.Helper()
	h, err := host.New(root)
	require.NoError(t, err)
	cfg := metadata.NewDefaultMetricsBuilderConfig()
	if metrics != nil {
		metrics(&cfg.Metrics)
	}
	set := receivertest.NewNopSettings(metadata.Type)
	telemetry, err := metadata.NewTelemetryBuilder(componenttest.NewNopTelemetrySettings())
	require.NoError(t, err)
	t.Cleanup(telemetry.Shutdown)
	return scraperSettings{
		host: h, mb: metadata.NewMetricsBuilder(cfg, set), starts: stream.NewStarts(fixtureScrape().boot), metrics: cfg.Metrics,
		logger: set.Logger, telemetry: telemetry,
	}
}

// scrapeRoot runs one scrape of the host below root, and gives what it recorded and returned.
func scrapeRoot(
	t *testing.T, root string, metrics func(*metadata.MetricsConfig), create func(ScraperConfig, scraperSettings) (scraper, error),
) (pmetric.Metrics, error) {
	t.Helper()
	settings, current := scraperSettingsOf(t, root, metrics), fixtureScrape()
	s, err := create(ScraperConfig{}, settings)
	require.NoError(t, err)
	settings.host.Begin()
	settings.mb.Reset(metadata.WithStartTime(current.boot))
	settings.starts.Begin(current.time)
	err = s.scrape(current)
	settings.starts.End(err == nil)
	return settings.mb.Emit(), err
}

// pointsOf gives the value of each number point under its metric's name and attributes, as name{key=value}.
func pointsOf(t *testing.T, md pmetric.Metrics) map[string]float64 {
	t.Helper()
	points := make(map[string]float64)
	for _, rm := range md.ResourceMetrics().All() {
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				data := pmetric.NewNumberDataPointSlice()
				switch m.Type() {
				case pmetric.MetricTypeGauge:
					data = m.Gauge().DataPoints()
				case pmetric.MetricTypeSum:
					data = m.Sum().DataPoints()
				default:
					require.Fail(t, "unexpected type", "%s is %s", m.Name(), m.Type())
				}
				for _, p := range data.All() {
					name := m.Name() + attributesOf(p.Attributes())
					require.NotContains(t, points, name, "duplicate point")
					require.Equal(t, fixtureScrape().time, p.Timestamp(), name)
					require.Equal(t, fixtureScrape().boot, p.StartTimestamp(), name)
					if p.ValueType() == pmetric.NumberDataPointValueTypeInt {
						points[name] = float64(p.IntValue())
					} else {
						points[name] = p.DoubleValue()
					}
				}
			}
		}
	}
	return points
}

func attributesOf(attributes pcommon.Map) string {
	var pairs []string
	for k, v := range attributes.All() {
		pairs = append(pairs, k+"="+v.AsString())
	}
	if len(pairs) == 0 {
		return ""
	}
	slices.Sort(pairs)
	return "{" + strings.Join(pairs, ",") + "}"
}
