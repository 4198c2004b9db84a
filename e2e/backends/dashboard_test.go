//go:build linux

package backends

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/promql/parser"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/e2e/harness"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver"
)

// dashboard is what the tests need to know of a Grafana dashboard.
type dashboard struct {
	SchemaVersion int
	Panels        []panel
	Templating    struct {
		List []struct{ Name, Type, Definition string }
	}
}

type panel struct {
	ID          int
	Type, Title string
	Datasource  struct{ Type, UID string }
	GridPos     struct{ H, W, X, Y int }
	FieldConfig struct{ Defaults struct{ Unit string } }
	Panels      []panel // of a row that is folded up
	Targets     []struct {
		RefID, Expr, LegendFormat string // LegendFormat is that of Prometheus, Alias that of InfluxDB; Expr and Query are the query.
		Query, Alias              string
		Datasource                struct{ Type, UID string }
	}
}

// hostsInPrometheus is the query for the hosts that a dashboard offers.
const hostsInPrometheus = "label_values(system_uptime_seconds, host_name)"

// dashboards are the files of the dashboards, each with how its queries choose the hosts, and which hosts it offers.
var dashboards = map[string][2]string{
	"otelcol-psutil.json":      {`host_name="$host"`, hostsInPrometheus},
	"groups-and-hardware.json": {`host_name="$host"`, hostsInPrometheus},
	"fleet.json":               {`host_name=~"$host"`, hostsInPrometheus},
	"influxdb.json":            {`"host.name" = '$host'`, hostsInInfluxDB},
}

func readDashboard(t *testing.T, file string) dashboard {
	t.Helper()
	text, err := os.ReadFile(harness.Repository(t, "dashboards", file))
	require.NoError(t, err)
	var d dashboard
	require.NoError(t, json.Unmarshal(text, &d))
	return d
}

// mayBeEmpty tells for which metrics there may be nothing to draw, and asks the kernel whether this is such a host.
var mayBeEmpty = map[string]func(t *testing.T) bool{
	"system_paging_usage_bytes": func(t *testing.T) bool { t.Helper(); return linesIn(t, "/proc/swaps") <= 1 },
	"_linux_pressure_":          func(*testing.T) bool { _, err := os.Stat("/proc/pressure"); return err != nil },
	"system_disk_": func(t *testing.T) bool {
		t.Helper()
		disks, err := filepath.Glob("/sys/block/*/device")
		require.NoError(t, err)
		return len(disks) == 0
	},
}

func linesIn(t *testing.T, path string) int {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	return strings.Count(string(text), "\n")
}

var labelInLegend = regexp.MustCompile(`\{\{(\w+)\}\}`)

// checkDashboard runs every query of the dashboard, and looks for data and for the labels that the legends name.
func checkDashboard(t *testing.T, p prometheus) {
	t.Helper()
	hostname, err := os.Hostname()
	require.NoError(t, err)
	hosts, err := p.query("group by (host_name) (system_uptime_seconds)") // What label_values(system_uptime_seconds, host_name) lists.
	require.NoError(t, err)
	require.Len(t, hosts, 1)
	require.Equal(t, hostname, hosts[0].labels["host_name"])
	variables := strings.NewReplacer("$host", hostname, "$__rate_interval", "15s")
	queries := 0
	panels := slices.Concat(readDashboard(t, "otelcol-psutil.json").Panels, readDashboard(t, "fleet.json").Panels)
	for _, panel := range panels {
		for _, target := range panel.Targets {
			queries++
			name := fmt.Sprintf("%s %s", panel.Title, target.RefID)
			expression := variables.Replace(target.Expr)
			require.NotContains(t, expression, "$", name)
			harness.Eventually(t, "data for "+name, func() error {
				got, err := p.query(expression)
				if err != nil {
					return err
				}
				if len(got) == 0 && !emptyHere(t, expression) {
					return fmt.Errorf("%s has no data", expression)
				}
				labels := make(map[string]bool)
				for _, s := range got {
					for label := range s.labels {
						labels[label] = true
					}
				}
				for _, m := range labelInLegend.FindAllStringSubmatch(target.LegendFormat, -1) {
					if !labels[m[1]] && len(got) > 0 && m[1] != "process_group_name" { // Which only the other processes have.
						return fmt.Errorf("%s has no label %s", expression, m[1])
					}
				}
				return nil
			})
		}
	}
	assert.Greater(t, queries, 30)
	for _, query := range documentedQueries(t) {
		harness.Eventually(t, "data for "+query, func() error {
			got, err := p.query(query)
			// What compares with 0 tells of trouble, of which there is none.
			if err == nil && len(got) == 0 && !strings.HasSuffix(query, " 0") && !emptyHere(t, query) {
				return fmt.Errorf("%s has no data", query)
			}
			return err
		})
	}
}

// documentedQueries are those of docs/prometheus.md, over windows that a test fills.
func documentedQueries(t *testing.T) (queries []string) {
	t.Helper()
	text, err := os.ReadFile(harness.Repository(t, "docs", "prometheus.md"))
	require.NoError(t, err)
	for _, m := range regexp.MustCompile("(?m)^    ([^#\n].*)$").FindAllStringSubmatch(string(text), -1) {
		queries = append(queries, strings.NewReplacer("[5m]", "[15s]", "[1h]", "[15s]").Replace(m[1]))
	}
	require.Len(t, queries, 10)
	return queries
}

func emptyHere(t *testing.T, expression string) bool {
	t.Helper()
	for metric, empty := range mayBeEmpty {
		if strings.Contains(expression, metric) && empty(t) {
			t.Logf("nothing to draw on this host: %s", expression)
			return true
		}
	}
	return false
}

// TestDashboardNamesMetrics: a host of the tests has neither arrays nor containers, so that what the queries of these panels name is held against what the
// receiver can emit.
func TestDashboardNamesMetrics(t *testing.T) {
	catalog, err := psutilreceiver.ReadCatalog()
	require.NoError(t, err)
	known := func(name string) bool {
		for metric, m := range catalog.Metrics {
			base := strings.NewReplacer(".", "_").Replace(metric)
			rest, found := strings.CutPrefix(name, base)
			if found && slices.Contains([]string{"", "_total", "_bytes", "_bytes_total", "_seconds", "_seconds_total", "_ratio"}, rest) &&
				strings.HasSuffix(rest, "_total") == m.Counter {
				return true
			}
		}
		return false
	}
	named := regexp.MustCompile(`([a-z][a-z0-9_]*)\{`)
	for _, panel := range readDashboard(t, "groups-and-hardware.json").Panels {
		for _, target := range panel.Targets {
			for _, m := range named.FindAllStringSubmatch(target.Expr, -1) {
				assert.True(t, known(m[1]), "%s: the receiver has no %s", panel.Title, m[1])
			}
			_, err := parser.NewParser(parser.Options{}).ParseExpr(strings.NewReplacer("$host", "h", "$__rate_interval", "1m").Replace(target.Expr))
			assert.NoError(t, err, panel.Title)
		}
	}
}

// TestDashboardIsWellFormed looks for what Grafana would mend in silence, or show in the wrong place.
func TestDashboardIsWellFormed(t *testing.T) {
	for file, host := range dashboards {
		t.Run(file, func(t *testing.T) { checkForm(t, readDashboard(t, file), host[0], host[1]) })
	}
}

func checkForm(t *testing.T, d dashboard, host, hosts string) {
	t.Helper()
	assert.Equal(t, 39, d.SchemaVersion, "that of Grafana 10, which 11 takes as well")
	variables := make(map[string]string)
	for _, v := range d.Templating.List {
		variables[v.Name] = v.Type + " " + v.Definition
	}
	assert.Equal(t, map[string]string{"datasource": "datasource ", "host": "query " + hosts}, variables)

	ids, cells := make(map[int]string), make(map[[2]int]string)
	for _, p := range d.Panels {
		assert.NotContains(t, ids, p.ID, p.Title)
		ids[p.ID] = p.Title
		assert.NotEmpty(t, p.Title)
		assert.Empty(t, p.Panels, "rows are open")
		for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
			for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
				assert.Empty(t, cells[[2]int{x, y}], "%s lies on another panel", p.Title)
				assert.Less(t, x, 24, p.Title)
				cells[[2]int{x, y}] = p.Title
			}
		}
		if p.Type == "row" {
			continue
		}
		assert.NotEmpty(t, p.FieldConfig.Defaults.Unit, p.Title)
		assert.NotEmpty(t, p.Targets, p.Title)
		assert.Equal(t, "${datasource}", p.Datasource.UID, p.Title)
		for _, target := range p.Targets {
			assert.Equal(t, "${datasource}", target.Datasource.UID, p.Title)
			assert.Contains(t, target.Expr+target.Query, host, p.Title)
		}
	}
}
