package psutilreceiver

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/host"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
)

func TestPressureScraper(t *testing.T) {
	md, err := scrapeRoot(t, fixtureRoot("server-6.x"), nil, newPressureScraper)
	require.NoError(t, err)
	const some, full = "{system.linux.pressure.stall_type=some}", "{system.linux.pressure.stall_type=full}"
	assert.InDeltaMapValues(t, map[string]float64{
		"system.cpu.linux.pressure.10s" + some:    0.0152,
		"system.cpu.linux.pressure.1m" + some:     0.011,
		"system.cpu.linux.pressure.5m" + some:     0.0083,
		"system.cpu.linux.pressure.total" + some:  48120.331204,
		"system.memory.linux.pressure.10s" + some: 0.0012, "system.memory.linux.pressure.10s" + full: 0.001,
		"system.memory.linux.pressure.1m" + some: 0.0004, "system.memory.linux.pressure.1m" + full: 0.0003,
		"system.memory.linux.pressure.5m" + some: 0.0001, "system.memory.linux.pressure.5m" + full: 0,
		"system.memory.linux.pressure.total" + some: 120.334021, "system.memory.linux.pressure.total" + full: 98.220114,
		"system.io.linux.pressure.10s" + some: 0.124, "system.io.linux.pressure.10s" + full: 0.1002,
		"system.io.linux.pressure.1m" + some: 0.0775, "system.io.linux.pressure.1m" + full: 0.0631,
		"system.io.linux.pressure.5m" + some: 0.031, "system.io.linux.pressure.5m" + full: 0.0275,
		"system.io.linux.pressure.total" + some: 9120.334112, "system.io.linux.pressure.total" + full: 8011.220334,
		"system.irq.linux.pressure.10s" + full: 0.0031, "system.irq.linux.pressure.1m" + full: 0.0022,
		"system.irq.linux.pressure.5m" + full: 0.002, "system.irq.linux.pressure.total" + full: 2204.11889,
	}, pointsOf(t, md), 1e-9)
}

func TestPressureScraperWithoutPSI(t *testing.T) {
	md, err := scrapeRoot(t, fixtureRoot("kernel-4.4"), nil, newPressureScraper)
	require.ErrorIs(t, err, host.ErrUnsupported)
	assert.Zero(t, md.MetricCount())

	md, err = scrapeRoot(t, fixtureRoot("container"), nil, newPressureScraper)
	require.ErrorIs(t, err, host.ErrUnsupported, "the kernel has no pressure of interrupts")
	assert.Equal(t, 12, md.MetricCount(), "and all the others")
}

func TestPressureScraperReadsWhatIsEnabled(t *testing.T) {
	root := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(root, "proc", "pressure"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(root, "proc", "pressure", "io"), []byte("some avg10=1.00 avg60=1.00 avg300=1.00 total=1000000\n"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(root, "proc", "pressure", "cpu"), []byte("garbage"), 0o600))

	md, err := scrapeRoot(t, root, nil, newPressureScraper)
	require.ErrorContains(t, err, "/proc/pressure/cpu")
	points := pointsOf(t, md)
	assert.Len(t, points, 4, "a file that is bad costs only its own metrics")

	md, err = scrapeRoot(t, root, func(m *metadata.MetricsConfig) {
		m.SystemCPULinuxPressure10s.Enabled, m.SystemCPULinuxPressure1m.Enabled = false, false
		m.SystemCPULinuxPressure5m.Enabled, m.SystemCPULinuxPressureTotal.Enabled = false, false
	}, newPressureScraper)
	require.NotContains(t, strings.ToLower(err.Error()), "cpu", "what is not enabled is not read")
	assert.Equal(t, points, pointsOf(t, md))
}
