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
	assert.Equal(t, c.Metrics["system.cpu.utilization"], c.Metrics["system.cpu.utilization.p95"])
	assert.True(t, c.Metrics["system.cpu.utilization.distribution"].Distribution)
	assert.True(t, c.Metrics["system.network.io"].Counter)
	assert.Equal(t, "By/s", c.Metrics["system.network.io.rate"].Unit)
	assert.False(t, c.Metrics["system.network.io.rate"].Counter)
	assert.InDelta(t, -20, c.Metrics["process.nice"].Lowest, 0)
	assert.Equal(t, []string{"receive", "transmit"}, c.Values["network.io.direction"])
	assert.NotContains(t, c.Values, "reason")
	assert.Contains(t, c.ResourceAttributes, "process.executable.name")
}

// Every metric of unit 1 states its range: checks of thresholds go by it.
func TestSharesStateTheirRange(t *testing.T) {
	c, err := ReadCatalog()
	require.NoError(t, err)
	for name, m := range c.Metrics {
		if m.Unit == "1" && !strings.HasSuffix(name, ".rate") && !strings.Contains(name, ".rate.") {
			assert.False(t, math.IsInf(m.Highest, 0), "%s: the description ends with the range, as in \"0 to 1.\"", name)
		}
	}
}
