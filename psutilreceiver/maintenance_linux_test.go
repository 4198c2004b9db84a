package psutilreceiver

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
)

func TestMaintenanceOfHosts(t *testing.T) {
	everything := func(m *metadata.MetricsConfig) { m.SystemLinuxKernelInfo.Enabled = true }
	points := func(host string) map[string]float64 {
		md, err := scrapeRoot(t, fixtureRoot(host), everything, newSystemScraper)
		if err != nil {
			require.ErrorIs(t, err, errors.ErrUnsupported)
		}
		return pointsOf(t, md)
	}
	server := points("server-6.x")
	assert.InDelta(t, 2, server["system.linux.task.hung"], 0)
	assert.InDelta(t, 1, server["system.linux.kernel.info{system.linux.kernel.release=6.14.5-300.fc42.x86_64,"+
		"system.linux.kernel.version=#1 SMP PREEMPT_DYNAMIC Fri May  2 14:16:46 UTC 2025}"], 0)
	assert.NotContains(t, server, "system.linux.reboot_required", "nothing there keeps a record")

	old := points("kernel-4.4")
	assert.NotContains(t, old, "system.linux.task.hung")
	assert.InDelta(t, 1, old["system.linux.reboot_required"], 0)
	assert.InDelta(t, 1, old["system.linux.kernel.info{system.linux.kernel.release=4.4.0-210-generic,"+
		"system.linux.kernel.version=#242-Ubuntu SMP Fri Apr 16 09:57:56 UTC 2021}"], 0)
}
