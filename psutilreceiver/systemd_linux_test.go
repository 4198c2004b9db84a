package psutilreceiver

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/host"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/systemd/systemdtest"
)

// systemdRoot is a root directory with a systemd that answers.
func systemdRoot(t *testing.T) (string, *systemdtest.Manager) {
	t.Helper()
	root := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(root, "proc"), 0o755))
	return root, systemdtest.Serve(t, root)
}

func createSystemd(_ ScraperConfig, settings scraperSettings) (scraper, error) {
	settings.resource, settings.attributes = pcommon.NewResource(), metadata.DefaultResourceAttributesConfig()
	return newSystemdScraper(defaultSystemdConfig(), settings)
}

// unitPoints gives the points that are not 0, by unit and metric.
func unitPoints(t *testing.T, md pmetric.Metrics) map[string]float64 {
	t.Helper()
	points := map[string]float64{}
	for _, rm := range md.ResourceMetrics().All() {
		unit, _ := rm.Resource().Attributes().Get("systemd.unit.name")
		one := pmetric.NewMetrics()
		rm.CopyTo(one.ResourceMetrics().AppendEmpty())
		for key, v := range pointsOf(t, one) {
			if v != 0 {
				points[strings.TrimSpace(unit.Str()+" "+key)] = v
			}
		}
	}
	return points
}

func TestSystemdScraper(t *testing.T) {
	root, m := systemdRoot(t)
	triggered := fixtureScrape().time.AsTime().Add(-time.Hour)
	m.Set("degraded",
		systemdtest.Unit{Name: "web.service", ActiveState: "active", SubState: "running", Properties: map[string]any{
			"NRestarts": uint32(3), "ActiveEnterTimestamp": uint64(1_500_000), "StateChangeTimestamp": uint64(2_500_000),
		}},
		systemdtest.Unit{Name: "job.service", ActiveState: "failed", SubState: "failed", Properties: map[string]any{"NRestarts": uint32(0)}},
		systemdtest.Unit{Name: "job.timer", ActiveState: "active", Properties: map[string]any{"LastTriggerUSec": uint64(triggered.UnixMicro())}},
		systemdtest.Unit{Name: "never.timer", ActiveState: "active", Properties: map[string]any{"LastTriggerUSec": uint64(0)}},
		systemdtest.Unit{Name: "web.socket", ActiveState: "active", Properties: map[string]any{"NAccepted": uint32(9), "NRefused": uint32(2)}},
		systemdtest.Unit{Name: "new.service", ActiveState: "a state of tomorrow"},
		systemdtest.Unit{Name: "dev-sda.device", ActiveState: "active"},
	)
	md, err := scrapeRoot(t, root, func(m *metadata.MetricsConfig) {
		m.SystemdUnitStartTime.Enabled, m.SystemdUnitChangeTime.Enabled = true, true
	}, createSystemd)
	require.NoError(t, err)
	assert.InDeltaMapValues(t, map[string]float64{
		"systemd.unit.failed": 1,
		"systemd.system.state{systemd.system.state=degraded}":              1,
		"web.service systemd.unit.state{systemd.unit.active_state=active}": 1,
		"web.service systemd.service.restarts":                             3,
		"web.service systemd.unit.start.time":                              1.5,
		"web.service systemd.unit.change.time":                             2.5,
		"job.service systemd.unit.state{systemd.unit.active_state=failed}": 1,
		"job.timer systemd.unit.state{systemd.unit.active_state=active}":   1,
		"job.timer systemd.timer.last_trigger.time":                        float64(triggered.UnixMicro()) / 1e6,
		"job.timer systemd.timer.last_trigger.age":                         3600,
		"never.timer systemd.unit.state{systemd.unit.active_state=active}": 1,
		"web.socket systemd.unit.state{systemd.unit.active_state=active}":  1,
		"web.socket systemd.socket.accepted":                               9,
		"web.socket systemd.socket.refused":                                2,
	}, unitPoints(t, md), 1e-6)
	states := 0
	for _, rm := range md.ResourceMetrics().All() {
		for _, metric := range rm.ScopeMetrics().At(0).Metrics().All() {
			if metric.Name() == "systemd.unit.state" {
				states++
				assert.Equal(t, 8, metric.Sum().DataPoints().Len(), "a point for each state")
			}
		}
	}
	assert.Equal(t, 6, states)
}

// TestSystemdScraperWithoutSystemd holds that a host without systemd has no metrics, and no fault.
func TestSystemdScraperWithoutSystemd(t *testing.T) {
	md, err := scrapeRoot(t, fixtureRoot("server-6.x"), nil, createSystemd)
	require.ErrorIs(t, err, host.ErrUnsupported)
	assert.Zero(t, md.DataPointCount())
}

// TestAStalledSystemdDelaysNoOther holds that a systemd that does not answer costs a scrape its patience, and the other scrapers nothing else.
func TestAStalledSystemdDelaysNoOther(t *testing.T) {
	root, m := systemdRoot(t)
	m.Stall(true)
	settings := scraperSettingsOf(t, root, nil)
	s, err := newSystemdScraper(defaultSystemdConfig(), settings)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.(closer).close()) })
	require.ErrorIs(t, s.scrape(fixtureScrape()), os.ErrDeadlineExceeded)
}

func TestSystemdConfig(t *testing.T) {
	for want, change := range map[string]func(*SystemdConfig){
		`units has "[a", which is no pattern`:   func(c *SystemdConfig) { c.Units = []string{"[a"} },
		`exclude_units has "", which is no`:     func(c *SystemdConfig) { c.ExcludeUnits = []string{""} },
		`max_units is 0: it must be at least 1`: func(c *SystemdConfig) { c.MaxUnits = 0 },
	} {
		cfg := defaultSystemdConfig()
		require.NoError(t, cfg.Validate())
		change(&cfg)
		require.ErrorContains(t, cfg.Validate(), want)
	}
}
