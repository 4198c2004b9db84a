package psutilreceiver

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/read"
)

func TestAModeThatIsNotKnownHasNoShareInTheWindow(t *testing.T) {
	settings := scraperSettingsOf(t, fixtureRoot("server-6.x"), func(m *metadata.MetricsConfig) { m.ProcessCPUUtilizationWindow.Enabled = true })
	for have, want := range map[read.Fields][]string{
		read.FieldCPU: {"user", "system"}, read.FieldCPUUser: {"user"}, read.FieldCPUSystem: {"system"}, 0: nil,
	} {
		settings.mb.Reset(metadata.WithStartTime(fixtureScrape().boot))
		p := &process.Process{}
		p.HasWindow = true
		recordCPUUtilizationWindow(settings.mb, &processValues{time: fixtureScrape().time, process: p, have: have})
		points := pointsOf(t, settings.mb.Emit())
		assert.Len(t, points, len(want))
		for _, mode := range want {
			assert.Contains(t, points, "process.cpu.utilization.window{cpu.mode="+mode+"}")
		}
	}
}
