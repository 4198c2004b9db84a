package psutilreceiver

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestConnectionsScraper(t *testing.T) {
	md, err := scrapeRoot(t, fixtureRoot("server-6.x"), nil, newConnectionsScraper)
	require.NoError(t, err)
	want := make(map[string]float64)
	for state, n := range map[string]float64{
		"closed": 0, "close_wait": 1, "closing": 0, "established": 2, "fin_wait_1": 0, "fin_wait_2": 0, "last_ack": 0, "listen": 3,
		"syn_received": 0, "syn_sent": 0, "time_wait": 1,
	} {
		want["system.network.connection.count{network.connection.state="+state+",network.transport=tcp}"] = n
	}
	want["system.network.connection.count{network.connection.state=closed,network.transport=udp}"] = 1
	want["system.network.connection.count{network.connection.state=established,network.transport=udp}"] = 1
	assert.Equal(t, want, pointsOf(t, md))
}
