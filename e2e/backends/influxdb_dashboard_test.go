//go:build linux

package backends

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/e2e/harness"
)

// hostsInInfluxDB is the query for the hosts that the dashboard for InfluxDB offers.
const hostsInInfluxDB = `SHOW TAG VALUES FROM "system.uptime" WITH KEY = "host.name"`

var (
	tagInAlias         = regexp.MustCompile(`\[\[tag_([^\]]+)\]\]`)
	measurementInQuery = regexp.MustCompile(`FROM "([^"]+)"`)
)

// checkInfluxDashboard runs every query of the dashboard for InfluxDB, and looks for data and for the tags that the aliases name.
func checkInfluxDashboard(t *testing.T, i influxDB) {
	t.Helper()
	hostname, err := os.Hostname()
	require.NoError(t, err)
	hosts, err := i.query(hostsInInfluxDB)
	require.NoError(t, err)
	require.Len(t, hosts, 1)
	require.Len(t, hosts[0].Values, 1)
	require.Equal(t, hostname, string(hosts[0].Values[0][1]))
	variables := strings.NewReplacer("$host", hostname, "$timeFilter", "time > now() - 1m", "$__interval", "2s")
	queries := 0
	for _, panel := range readDashboard(t, "influxdb.json").Panels {
		for _, target := range panel.Targets {
			queries++
			query := variables.Replace(target.Query)
			require.NotContains(t, query, "$", panel.Title)
			measurement := measurementInQuery.FindStringSubmatch(query)
			require.NotNil(t, measurement, query)
			// The hosts of which mayBeEmpty knows are asked for by the name in Prometheus.
			inPrometheus := strings.ReplaceAll(measurement[1], ".", "_") + "_bytes"
			harness.Eventually(t, fmt.Sprintf("data for %s %s", panel.Title, target.RefID), func() error {
				answer, err := i.query(query)
				if err != nil {
					return err
				}
				if len(answer) == 0 && !emptyHere(t, inPrometheus) {
					return fmt.Errorf("%s has no data", query)
				}
				for _, tag := range tagInAlias.FindAllStringSubmatch(target.Alias, -1) {
					named := len(answer) == 0 || tag[1] == "process.group.name" // Which only the other processes have.
					for _, s := range answer {
						named = named || s.Tags[tag[1]] != ""
					}
					if !named {
						return fmt.Errorf("%s has no tag %s", query, tag[1])
					}
				}
				return nil
			})
		}
	}
	assert.Greater(t, queries, 30)
}
