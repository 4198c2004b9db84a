package events

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestSmallProcessesAreNoVictims: the victim of a kill that grew between two looks was never seen, and what went beside it was not killed.
func TestSmallProcessesAreNoVictims(t *testing.T) {
	t.Parallel()
	small, large := sizedProcess{pid: 1, resident: leastVictim - 1}, sizedProcess{pid: 2, resident: leastVictim}
	kills := []inferredKill{{}, {}}
	findVictims(kills, []sizedProcess{large, small})
	require.NotNil(t, kills[0].victim)
	assert.Equal(t, int32(2), kills[0].victim.pid)
	assert.Nil(t, kills[1].victim)
	assert.Equal(t, "The kernel killed a process for lack of memory", kills[1].event(time.Unix(1, 0)).Text)
}
