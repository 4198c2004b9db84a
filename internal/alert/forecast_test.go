package alert

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestForecast(t *testing.T) {
	t.Parallel()
	line := fitLine(ringOf(10, 8, 6, 4), 0, 4, 3*second)
	assert.InDelta(t, -2, line.slope, 1e-12)
	assert.InDelta(t, 4, line.at(0), 1e-12)
	assert.InDelta(t, -2, line.at(3), 1e-12)
	assert.Zero(t, fitLine(ringOf(0.1, 0.1, 0.1), 0, 3, 0).slope)
}
