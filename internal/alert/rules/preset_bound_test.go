package rules

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A bound without the unit of the preset's is refused, and the error names what is missing.
func TestOverrideOfAShareWithoutItsUnit(t *testing.T) {
	before := LevelConfig{Above: "85%", Clear: "80%"}
	for _, bound := range []any{90, 0.9, "90"} {
		_, err := movedClear(before, LevelConfig{Above: bound})
		require.ErrorContains(t, err, "has no %", "%v", bound)
	}
	_, err := movedClear(before, LevelConfig{Above: "90%"})
	require.NoError(t, err)
	_, err = movedClear(before, LevelConfig{Below: "10%"})
	require.ErrorContains(t, err, "at no known distance")
}
