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
	versions := map[string]string{}
	for _, r := range set.Rules {
		versions[r.Name] = r.Version
	}
	assert.Equal(t, map[string]string{"cpu": "41807214", "memory": "e83a1f0a", "disk": "ae719498", "swap": "6b342b9a"}, versions)
}
