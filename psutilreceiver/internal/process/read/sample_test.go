package read

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestEveryStatisticHasAField(t *testing.T) {
	for c := range NumCounters {
		assert.NotZero(t, c.Field(), "counter %d", c)
		assert.Zero(t, c.Field()&LevelFields, "counter %d: details may not have counters", c)
	}
	for l := range NumLevels {
		assert.NotZero(t, l.Field(), "level %d", l)
		assert.Equal(t, l.Field(), l.Field()&LevelFields, "level %d", l)
	}
	for f := range NumFiles {
		assert.NotEmpty(t, f.String())
	}
}

func TestCommIsCut(t *testing.T) {
	var s Sample
	s.SetComm(strings.Repeat("x", 100))
	assert.Equal(t, strings.Repeat("x", commSize), s.Comm())
}
