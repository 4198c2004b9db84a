package live

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/e2e/harness"
)

// cpuSeconds is the counter of what the CPUs did for processes: seconds by time in milliseconds.
type cpuSeconds struct {
	times  []int64
	values []float64
}

// cpus reads the counter of the last minute.
func (a *agent) cpus() (out cpuSeconds) {
	a.t.Helper()
	query := url.Values{"query": {`system_cpu_time_seconds_total{cpu_mode=~"user|nice|system"}[1m]`}}
	res, err := harness.Client.PostForm(a.base+"/prometheus/api/v1/query", query) //nolint:noctx // The client has a time limit.
	require.NoError(a.t, err)
	defer func() { _ = res.Body.Close() }()
	var answer struct {
		Data struct{ Result []struct{ Values [][2]any } }
	}
	require.NoError(a.t, json.NewDecoder(res.Body).Decode(&answer))
	sums := map[int64]float64{}
	for _, s := range answer.Data.Result {
		for _, v := range s.Values {
			seconds, err := strconv.ParseFloat(v[1].(string), 64)
			require.NoError(a.t, err)
			sums[int64(v[0].(float64)*1000+0.5)] += seconds
		}
	}
	for t := range sums {
		out.times = append(out.times, t)
	}
	slices.Sort(out.times)
	for _, t := range out.times {
		out.values = append(out.values, sums[t])
	}
	return out
}

// around are the samples of the counter before and after a time, between which it was then: on a machine that is busy they may lie far apart.
func (c cpuSeconds) around(t int64) (before, after float64, ok bool) {
	i, exact := slices.BinarySearchFunc(c.times, t, cmp.Compare)
	switch {
	case exact:
		return c.values[i], c.values[i], true
	case i == 0 || i == len(c.times):
		return 0, 0, false
	}
	return c.values[i-1], c.values[i], true
}

// TestTheTablesAddUpToWhatTheCPUsDid holds the process tables against another scraper's counter of the CPUs.
func TestTheTablesAddUpToWhatTheCPUsDid(t *testing.T) {
	a := start(t)
	a.ready(1)
	type table struct {
		Time     *int64 `json:"t"`
		Previous *int64
		Total    *struct{ CPU float64 }
	}
	const want = 8 // Tables, two seconds apart: what lies between a scrape and a table is small against it.
	var tables []table
	require.Eventually(t, func() bool {
		tables = tables[:0]
		at := "now"
		for {
			var next table
			a.get("/api/processes?at="+at, &next)
			if next.Time == nil || next.Total == nil || next.Previous == nil {
				break
			}
			tables = append(tables, next)
			at = fmt.Sprint(*next.Previous)
		}
		return len(tables) >= want
	}, waitLimit, 500*time.Millisecond)
	cpus := a.cpus()
	sum, from, to := 0.0, int64(0), int64(0)
	for _, x := range tables {
		_, _, begins := cpus.around(*x.Previous)
		if _, _, ends := cpus.around(*x.Time); begins && ends {
			sum += x.Total.CPU * float64(*x.Time-*x.Previous) / 1000
			from, to = *x.Previous, max(to, *x.Time)
		}
	}
	require.NotZero(t, from, "tables within the scrapes")
	earliest, begun, _ := cpus.around(from)
	ending, latest, _ := cpus.around(to)
	least, most := ending-begun, latest-earliest
	t.Logf("in %.1f s the CPUs did %.2f to %.2f s of work, the tables add up to %.2f s", float64(to-from)/1000, least, most, sum)
	// What lies between the time of a scrape and its reading.
	assert.GreaterOrEqual(t, sum, least-1-least/20)
	assert.LessOrEqual(t, sum, most+1+most/20)
}
