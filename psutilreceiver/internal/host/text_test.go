package host

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestNamesKeepsOneStringAName(t *testing.T) {
	var n names
	name := []byte("nvme0n1")
	assert.Equal(t, "nvme0n1", n.of(name))
	assert.Zero(t, testing.AllocsPerRun(100, func() { n.of(name) }))
	name[0] = 'X'
	assert.Equal(t, "nvme0n1", n.of([]byte("nvme0n1")), "the string is a copy")

	for i := range 2 * maxNames {
		n.trim()
		n.of([]byte("veth" + strconv.Itoa(i)))
		require.LessOrEqual(t, len(n.byText), maxNames+1)
	}
}
