package collector

import (
	"fmt"
	"net"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestFreePortIsGivenOnce holds that no two callers get one port, and nobody a port that is listened on.
func TestFreePortIsGivenOnce(t *testing.T) {
	given := make(map[int]bool)
	for range 200 {
		port, err := FreePort()
		require.NoError(t, err)
		require.False(t, given[port])
		given[port] = true
		assert.False(t, claim(port), "it is claimed")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, l.Close()) })
	var port int
	_, err = fmt.Sscanf(l.Addr().String(), "127.0.0.1:%d", &port)
	require.NoError(t, err)
	assert.False(t, claim(port), "it is listened on")
}
