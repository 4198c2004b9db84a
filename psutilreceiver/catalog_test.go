package psutilreceiver

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCatalog(t *testing.T) {
	c, err := ReadCatalog()
	require.NoError(t, err)
	assert.Equal(t, CatalogMetric{Unit: "1", Attributes: []string{"cpu.mode", "cpu.logical_number"}, Highest: 1}, c.Metrics["system.cpu.utilization"])
	assert.Equal(t, CatalogMetric{Unit: "1", Derived: true, Attributes: []string{"cpu.mode", "cpu.logical_number"}, Highest: 1}, c.Metrics["system.cpu.utilization.p95"])
	assert.True(t, c.Metrics["system.memory.usage"].UpDown)
	assert.NotContains(t, c.Values["cpu.mode"], "softirq", "it is of the old form alone")
	assert.True(t, c.Metrics["system.cpu.utilization.distribution"].Distribution)
	assert.True(t, c.Metrics["system.network.io"].Counter)
	assert.Equal(t, "By/s", c.Metrics["system.network.io.rate"].Unit)
	assert.False(t, c.Metrics["system.network.io.rate"].Counter)
	assert.InDelta(t, -20, c.Metrics["process.nice"].Lowest, 0)
	assert.Equal(t, []string{"receive", "transmit"}, c.Values["network.io.direction"])
	assert.NotContains(t, c.Values, "reason")
	assert.Contains(t, c.ResourceAttributes, "process.executable.name")
}

func TestCatalogWithTheOldForm(t *testing.T) {
	c, err := ReadCatalog()
	require.NoError(t, err)
	old := c.WithOldForm()
	assert.NotContains(t, c.Metrics, "system.network.packets")
	assert.Equal(t, []string{"system.device", "network.io.direction", "device", "direction"}, old.Metrics["system.network.packets.rate"].Attributes)
	assert.Contains(t, old.Metrics["system.cpu.utilization"].Attributes, "state")
	assert.NotContains(t, c.Metrics["system.cpu.utilization"].Attributes, "state", "the catalog itself stays")
	assert.InDelta(t, 100, old.Metrics["process.memory.utilization"].Highest, 0)
	assert.Contains(t, old.ResourceAttributes, "process.cgroup")
}

// Every metric of unit 1 states its range: checks of thresholds go by it.
func TestSharesStateTheirRange(t *testing.T) {
	c, err := ReadCatalog()
	require.NoError(t, err)
	for name, m := range c.Metrics {
		if name == "hw.physical_disk.smart" {
			continue // Its unit is that of the conventions, whatever the disk counts.
		}
		if m.Unit == "1" && !strings.HasSuffix(name, ".rate") && !strings.Contains(name, ".rate.") {
			assert.False(t, math.IsInf(m.Highest, 0), "%s: the description ends with the range, as in \"0 to 1.\"", name)
		}
	}
}
