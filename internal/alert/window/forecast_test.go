package window

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestForecast(t *testing.T) {
	t.Parallel()
	line := FitLine(ringOf(10, 8, 6, 4), 0, 4, 3e9)
	assert.InDelta(t, -2, line.Slope, 1e-12)
	assert.InDelta(t, 4, line.At(0), 1e-12)
	assert.InDelta(t, -2, line.At(3), 1e-12)
	assert.Zero(t, FitLine(ringOf(0.1, 0.1, 0.1), 0, 3, 0).Slope)
}
