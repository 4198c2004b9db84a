//go:build linux

package backends

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/e2e/harness"
)

// influxDB is the URL of a running InfluxDB, which has the database hosts.
type influxDB string

const influxConfig = `reporting-disabled = true
bind-address = "127.0.0.1:%d"
[meta]
  dir = "meta"
[data]
  dir = "data"
  wal-dir = "wal"
[http]
  bind-address = "%s"
`

// startInfluxDB runs an InfluxDB 1.x at an address.
func startInfluxDB(t *testing.T, address string) influxDB {
	t.Helper()
	program, dir := harness.LookServer(t, "influxd"), t.TempDir()
	config := filepath.Join(dir, "influxdb.conf")
	require.NoError(t, os.WriteFile(config, fmt.Appendf(nil, influxConfig, harness.FreePort(t), address), 0o600))
	harness.StartServer(t, dir, "http://"+address+"/ping", program, "-config", config)
	resp, err := harness.Client.PostForm("http://"+address+"/query", url.Values{"q": {"CREATE DATABASE hosts"}}) //nolint:noctx // The client has a time limit.
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusOK, resp.StatusCode)
	return influxDB("http://" + address)
}

// influxSeries is one series of an answer: its measurement, its tags as far as the query groups by them, and rows of time and values.
type influxSeries struct {
	Name   string
	Tags   map[string]string
	Values [][]influxValue
}

// influxValue is the text of a number, or a text.
type influxValue string

func (v *influxValue) UnmarshalJSON(text []byte) error {
	*v = influxValue(strings.Trim(string(text), `"`))
	return nil
}

func (v influxValue) Float64() (float64, error) { return strconv.ParseFloat(string(v), 64) }

// query gives the answer to an InfluxQL query, with times in nanoseconds.
func (i influxDB) query(q string) ([]influxSeries, error) {
	var answer struct {
		Results []struct {
			Error  string
			Series []influxSeries
		}
	}
	if err := harness.GetJSON(string(i)+"/query?db=hosts&epoch=ns&q="+url.QueryEscape(q), &answer); err != nil {
		return nil, err
	}
	if len(answer.Results) != 1 || answer.Results[0].Error != "" {
		return nil, fmt.Errorf("%s: %+v", q, answer)
	}
	return answer.Results[0].Series, nil
}

// sum adds up the first rows of all series that a query has.
func (i influxDB) sum(q string) (float64, error) {
	answer, err := i.query(q)
	if err != nil {
		return 0, err
	}
	if len(answer) == 0 {
		return 0, fmt.Errorf("%s has no series", q)
	}
	total := 0.0
	for _, s := range answer {
		v, err := s.Values[0][1].Float64()
		if err != nil {
			return 0, err
		}
		total += v
	}
	return total, nil
}

// near asks a query and says how it is off.
func (i influxDB) near(q string, want, delta float64) error {
	got, err := i.sum(q)
	if err == nil && (got < want-delta || got > want+delta) {
		err = fmt.Errorf("%s is %v, the kernel has %v", q, got, want)
	}
	return err
}

// counters gives the host's counters by the name and attributes of the points.
func (i influxDB) counters() (map[string]float64, error) {
	answer, err := i.query(`SELECT last(counter) FROM /^system\./ GROUP BY *`)
	if err != nil {
		return nil, err
	}
	ofHost := []string{"host.id", "host.name", "os.type", "otel.library.name", "otel.library.version"}
	out := make(map[string]float64)
	for _, s := range answer {
		var attributes []string
		for name, value := range s.Tags {
			if value != "" && !slices.Contains(ofHost, name) {
				attributes = append(attributes, name+"="+value)
			}
		}
		key := s.Name
		if len(attributes) > 0 {
			slices.Sort(attributes)
			key += "{" + strings.Join(attributes, ",") + "}"
		}
		if out[key], err = s.Values[0][1].Float64(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// TestInfluxDBTakesTheExamplesWrites has examples/influxdb.yaml write to InfluxDB: first while it is away, and then, after the Collector
// was killed, again.
func TestInfluxDBTakesTheExamplesWrites(t *testing.T) {
	t.Parallel()
	harness.LookServer(t, "influxd")
	dir, address := t.TempDir(), harness.FreeAddress(t)
	settings, env := []string{everySecond, withFile("influxdb")}, "INFLUXDB_URL=http://"+address
	first := harness.StartExample(t, dir, "influxdb.yaml", settings, env)
	kept := keepBatches(t, first, dir, syscall.SIGKILL)

	i := startInfluxDB(t, address)
	pid, cpuTime := startBurner(t)
	c := harness.StartExample(t, dir, "influxdb.yaml", settings, env)
	agrees(t, i.counters)
	checkInfluxHost(t, i, pid, cpuTime)
	t.Run("kept on disk", func(t *testing.T) {
		got, err := harness.Batches(kept)
		require.NoError(t, err)
		answer, err := i.query(`SELECT gauge FROM "system.memory.limit"`)
		require.NoError(t, err)
		require.Len(t, answer, 1)
		times := make(map[string]bool)
		for _, row := range answer[0].Values {
			times[string(row[0])] = true
		}
		compared := 0
		for _, md := range got {
			if p, ok := harness.PointsOf(md)["system.memory.limit"]; ok {
				compared++
				assert.True(t, times[strconv.FormatInt(p.At.UnixNano(), 10)], "the point of %s is lost", p.At)
			}
		}
		assert.Positive(t, compared)
	})
	t.Run("only values", func(t *testing.T) {
		// A query over all fields, as `SELECT mean(*)`, has no other: it is not disturbed by the start of a stream.
		answer, err := i.query(`SHOW FIELD KEYS`)
		require.NoError(t, err)
		require.Greater(t, len(answer), 30)
		for _, s := range answer {
			for _, row := range s.Values {
				assert.Contains(t, []influxValue{"gauge", "counter"}, row[0], s.Name)
			}
		}
	})
	t.Run("dashboard", func(t *testing.T) { checkInfluxDashboard(t, i) })
	stopQuietly(t, c)
}

// keepBatches ends a collector that can't get rid of its batches, after three scrapes of the memory. It gives a copy of its file.
func keepBatches(t *testing.T, c *harness.Process, dir string, signal os.Signal) string {
	t.Helper()
	path := filepath.Join(dir, "metrics.jsonl")
	harness.Eventually(t, "three scrapes", func() error { return hasScrapes(path, 3) })
	_ = c.Stop(t, signal)
	kept := filepath.Join(dir, "kept.jsonl")
	require.NoError(t, os.Rename(path, kept))
	return kept
}

// hasScrapes looks for a number of scrapes of the memory in a file.
func hasScrapes(file string, n int) error {
	seen, err := scrapes(file)
	if err == nil && seen < n {
		err = fmt.Errorf("only %d", seen)
	}
	return err
}

// scrapes counts the scrapes of the memory in a file.
func scrapes(file string) (n int, err error) {
	all, err := harness.Batches(file)
	for _, md := range all {
		if _, ok := harness.PointsOf(md)["system.memory.limit"]; ok {
			n++
		}
	}
	return n, err
}

// checkInfluxHost holds the answers to InfluxQL against the kernel.
func checkInfluxHost(t *testing.T, i influxDB, pid string, cpuTime func() float64) {
	t.Helper()
	for q, want := range map[string]struct {
		value, delta float64
	}{
		`SELECT last(gauge) FROM "system.memory.limit"`:                             {memTotal(t), 0},
		`SELECT last(gauge) FROM "system.memory.usage"` + by("system.memory.state"): {memTotal(t), 0},
		`SELECT last(gauge) FROM "system.memory.usage" WHERE "system.memory.state" = 'free'`: {
			1024 * harness.FirstNumber(t, "/", "proc/meminfo", "MemFree:"), memTotal(t) / 10,
		},
		`SELECT last(gauge) FROM "system.cpu.logical.count"`: {cpus(t), 0},
		`SELECT last(gauge) FROM "system.uptime"`:            {harness.FirstNumber(t, "/", "proc/uptime", ""), 60},
	} {
		harness.Eventually(t, q, func() error { return i.near(q, want.value, want.delta) })
	}
	count := harness.WatchProcesses(t)
	harness.Eventually(t, "the number of processes", func() error {
		n, err := i.sum(`SELECT last(gauge) FROM "system.process.count"` + by("process.state"))
		return errors.Join(err, count.Holds(n))
	})
	harness.Eventually(t, "the CPU time of a process", func() error {
		spent := cpuTime()
		if spent < burned.Seconds()-0.011 {
			return fmt.Errorf("the burner has only spent %v s", spent)
		}
		return i.near(fmt.Sprintf(`SELECT last(counter) FROM "process.cpu.time" WHERE "process.pid" = '%s' AND "process.executable.name" = '%s'`,
			pid, burnerName)+by("cpu.mode"), spent, 0.011)
	})
	rate, err := i.sum(`SELECT mean(rate) FROM (SELECT derivative(counter, 1s) AS rate FROM "system.cpu.time" WHERE time > now() - 10s` +
		by("cpu.mode") + `)` + by("cpu.mode"))
	require.NoError(t, err)
	assert.InEpsilon(t, cpus(t), rate, 0.1, "the rates of CPU time by mode add up to the CPUs")
}

func by(tag string) string { return ` GROUP BY "` + tag + `"` }
