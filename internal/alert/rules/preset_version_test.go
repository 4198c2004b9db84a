package rules

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestStoredAlertsOfThePresetStay: what is stored of them names the version and the selection that the rules had when they were released.
func TestStoredAlertsOfThePresetStay(t *testing.T) {
	cfg := DefaultConfig()
	cfg.Preset = "host"
	set, err := Compile(cfg)
	require.NoError(t, err)
	versions, selections := map[string]string{}, map[string]string{}
	for _, r := range set.Rules {
		versions[r.Name], selections[r.Name] = r.Version, r.Selection
	}
	for name, want := range map[string]string{"disk": "ae719498", "swap": "6b342b9a"} {
		assert.Equal(t, want, versions[name], name)
	}
	// These have to be true for longer today. Another version alone closes no alert; another selection does.
	assert.Equal(t, `"system.cpu.utilization" map[string]interface {}{"cpu.mode":"idle"} false [] 2`, selections["cpu"])
	assert.Equal(t, `"system.memory.utilization" map[string]interface {}{"system.memory.state":"used"} false [] 0`, selections["memory"])
}
