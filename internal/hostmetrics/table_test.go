package hostmetrics

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestNamesOfAnyLength: a name is looked up a few times, however many endings somebody gives it.
func TestNamesOfAnyLength(t *testing.T) {
	m, suffix := ByOldName("system.network.io.rate.p95")
	assert.NotNil(t, m)
	assert.Equal(t, ".rate.p95", suffix)
	m, _ = ByOldName("system.network.io" + strings.Repeat(".rate", 1_000_000))
	assert.Nil(t, m)
}
