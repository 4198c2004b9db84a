package live

import (
	"encoding/json"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/dashboards"

	"github.com/otelcol-psutil/otelcol-psutil/e2e/harness"
)

type prometheusAnswer struct {
	Status string
	Error  string
	Data   struct{ Result []any }
}

// ask asks the agent's own Prometheus routes, as Grafana does.
func (a *agent) ask(query string) prometheusAnswer {
	a.t.Helper()
	res, err := harness.Client.PostForm(a.base+"/prometheus/api/v1/query", url.Values{"query": {query}}) //nolint:noctx // The client has a time limit.
	require.NoError(a.t, err)
	defer func() { _ = res.Body.Close() }()
	var answer prometheusAnswer
	require.NoError(a.t, json.NewDecoder(res.Body).Decode(&answer))
	require.Equal(a.t, "success", answer.Status, "%s: %s", query, answer.Error)
	return answer
}

// TestTheDashboardIsAnsweredByTheAgent: each query of the dashboard has an answer from the agent alone.
func TestTheDashboardIsAnsweredByTheAgent(t *testing.T) {
	a := start(t)
	a.ready(1)
	host, err := os.Hostname()
	require.NoError(t, err)
	queries, err := dashboards.Queries(host)
	require.NoError(t, err)
	require.Greater(t, len(queries), 20)
	for _, q := range queries {
		if lacks(q) {
			continue
		}
		assert.Eventually(t, func() bool { return len(a.ask(q).Data.Result) > 0 }, waitLimit, 200*time.Millisecond, q)
	}
}

// TestTheStateOfTheAlertsIsAskedForAsMetrics: what fires is a metric of the agent, too.
func TestTheStateOfTheAlertsIsAskedForAsMetrics(t *testing.T) {
	a := start(t)
	a.ready(1)
	require.Eventually(t, func() bool { return len(a.ask("alert_firing_omitted == 0").Data.Result) == 1 }, waitLimit, 200*time.Millisecond)
	var meta struct {
		Rules []struct{ Rule, Metric string }
	}
	a.get("/api/meta", &meta)
	names := map[string]string{}
	for _, r := range meta.Rules {
		names[r.Rule] = r.Metric
	}
	assert.Equal(t, "system.cpu.utilization", names["cpu"], "rules are said before anything fires")
}

// lacks tells whether this host has nothing of what a query asks for.
func lacks(query string) bool {
	switch {
	case strings.Contains(query, "pressure"):
		_, err := os.Stat("/proc/pressure/cpu")
		return err != nil
	case strings.Contains(query, "paging_usage"):
		areas, err := os.ReadFile("/proc/swaps")
		return err != nil || strings.Count(string(areas), "\n") < 2
	default:
		return false
	}
}
