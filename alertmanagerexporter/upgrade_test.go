package alertmanagerexporter

import (
	"encoding/json"
	"flag"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var updateUpgrade = flag.Bool("update-upgrade", false, "write the alerts of testdata/upgrade again; never to make the test pass")

// storedAt is when the Collector whose table lies in testdata/upgrade was killed.
var storedAt = time.Date(2026, 11, 27, 7, 24, 22, 0, time.UTC)

// TestUpgrade goes on with the table of an older build. What is sent after the restart is what that build would have sent itself: no alert
// has other labels or begins again.
func TestUpgrade(t *testing.T) {
	d := newDisk()
	text, err := os.ReadFile("testdata/upgrade/state.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &d.data))
	d.alerts(t)
	b := newBench(t, nil)
	b.host, b.cfg.Storage, b.clock = machine{diskID: d}, &diskID, storedAt.Add(10*time.Second)
	b.restart()
	b.am.resend(t.Context())
	b.server.requireRight(t)
	var alerts []postableAlert
	for _, request := range b.server.got() {
		alerts = append(alerts, request...)
	}
	slices.SortFunc(alerts, func(x, y postableAlert) int { return strings.Compare(labelsText(x.Labels), labelsText(y.Labels)) })
	got, err := json.MarshalIndent(alerts, "", " ")
	require.NoError(t, err)
	if *updateUpgrade {
		require.NoError(t, os.WriteFile("testdata/upgrade/alerts.json", append(got, '\n'), 0o600))
	}
	want, err := os.ReadFile("testdata/upgrade/alerts.json")
	require.NoError(t, err)
	assert.JSONEq(t, string(want), string(got))

	stored := len(d.alerts(t))
	b.clock = b.clock.Add(24 * time.Hour)
	b.am.resend(t.Context())
	assert.Less(t, len(d.alerts(t)), stored, "what ended long ago is deleted")
}
