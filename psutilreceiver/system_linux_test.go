package psutilreceiver

import (
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/host"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
)

func TestSystemScraper(t *testing.T) {
	md, err := scrapeRoot(t, fixtureRoot("server-6.x"), nil, newSystemScraper)
	require.NoError(t, err)
	assert.Equal(t, map[string]float64{
		"system.uptime":                  1216804.37,
		"system.session.count":           3,
		"system.user.count":              2,
		"system.linux.file_handle.count": 9824,
		"system.linux.file_handle.limit": math.MaxInt64,
		"system.linux.task.hung":         2,
		"system.cpu.context_switches":    5102938812,
		"system.cpu.interrupts":          2981223481,
		"system.cpu.soft_interrupts":     1702938221,
		"system.linux.entropy.available": 256,
		"system.linux.inode.count":       933377,
		"system.linux.dentry.count":      1037705,
	}, pointsOf(t, md))
}

func TestSystemScraperOfAHostWithoutUtmp(t *testing.T) {
	md, err := scrapeRoot(t, fixtureRoot("container"), nil, newSystemScraper)
	require.ErrorIs(t, err, host.ErrUnsupported)
	assert.Equal(t, map[string]float64{
		"system.uptime":                  402211.9,
		"system.linux.file_handle.count": 3104,
		"system.linux.file_handle.limit": 1620112,
		"system.cpu.context_switches":    1902211033,
		"system.cpu.interrupts":          902211033,
		"system.cpu.soft_interrupts":     402211033,
		"system.linux.entropy.available": 256,
		"system.linux.inode.count":       90112,
		"system.linux.dentry.count":      120334,
	}, pointsOf(t, md))
}

func TestSystemScraperKeepsWhatItCanRead(t *testing.T) {
	root := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(root, "proc"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(root, "proc", "uptime"), []byte("12.50 1.00\n"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(root, "proc", "stat"), []byte("cpu 1 2"), 0o600))
	md, err := scrapeRoot(t, root, nil, newSystemScraper)
	require.ErrorContains(t, err, "parsing /proc/stat")
	require.ErrorIs(t, err, host.ErrUnsupported, "a minimal proc has no proc/sys")
	assert.Equal(t, map[string]float64{"system.uptime": 12.5}, pointsOf(t, md))

	md, err = scrapeRoot(t, root, func(m *metadata.MetricsConfig) {
		m.SystemLinuxFileHandleCount.Enabled, m.SystemLinuxFileHandleLimit.Enabled = false, false
		m.SystemCPUContextSwitches.Enabled, m.SystemCPUInterrupts.Enabled, m.SystemCPUSoftInterrupts.Enabled = false, false, false
		m.SystemLinuxEntropyAvailable.Enabled, m.SystemLinuxInodeCount.Enabled, m.SystemLinuxDentryCount.Enabled = false, false, false
		m.SystemSessionCount.Enabled, m.SystemUserCount.Enabled, m.SystemLinuxTaskHung.Enabled = false, false, false
	}, newSystemScraper)
	require.NoError(t, err, "what is not enabled is not read")
	assert.Equal(t, 1, md.MetricCount())
}
