package psutilreceiver

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestGPUOfServer(t *testing.T) {
	md, err := scrapeRoot(t, fixtureRoot("server-6.x"), nil, newGPUScraper)
	require.NoError(t, err)
	const of = "hw.id=pci/0000_0c_00.0,hw.name=AMD Radeon PRO W6800}"
	assert.InDeltaMapValues(t, map[string]float64{
		"hw.gpu.utilization{hw.gpu.task=general," + of: 0.37,
		"hw.gpu.memory.usage{" + of:                    4290772992,
		"hw.gpu.memory.limit{" + of:                    17163091968,
		"hw.gpu.memory.utilization{" + of:              0.25,
	}, pointsOf(t, md), 1e-3)
}
