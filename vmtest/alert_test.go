package vmtest

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-psutil/otelcol-psutil/vmtest/machine"
)

// alertConfig has a rule that fires when the process `first` has gone, and one that fires when there is a process `second` for 20 seconds.
const alertConfig = `
receivers:
  psutil:
    collection_interval: 1s
    scrapers: {load: {}, process: {collection_interval: 1s, top: {n: 0}, include: {names: [first, second]}, other: false}}
connectors:
  alert:
    rules:
      - name: gone
        metric: process.memory.usage
        match: {resource: {process.executable.name: first}}
        absent: {for: 3s}
        severity: critical
      - name: present
        metric: process.memory.usage
        match: {resource: {process.executable.name: second}}
        thresholds: {warning: {above: 0, for: 20s}}
exporters:
  file: {path: metrics.jsonl, flush_interval: 100ms}
  file/alerts: {path: alerts.jsonl, flush_interval: 100ms}
service:
  telemetry: {metrics: {level: none}, logs: {level: warn, encoding: console}}
  pipelines:
    metrics: {receivers: [psutil], exporters: [file, alert]}
    logs/alerts: {receivers: [alert], exporters: [file/alerts]}
`

// testAlertClock sets the clock while alerts fire and are pending: neither is a reason to fire or to resolve.
func testAlertClock(t *testing.T, vm *machine.Machine) {
	t.Helper()
	first := idle(t, vm, "first", 2050)
	c := startCollector(t, vm, alertConfig)
	c.batches(t, 3)
	require.NoError(t, vm.Signal(first, 9))
	for i := 0; len(transitions(t, c, "gone")) == 0; i++ {
		require.Less(t, i, 15, "the rule for what is absent does not fire")
		c.batches(t, 4)
	}

	fired := transitions(t, c, "gone")
	require.NoError(t, vm.MoveClock(-24*time.Hour))
	c.batches(t, 8)
	noFault(t, "alerts: a step back resolves what is absent", transitions(t, c, "gone")[len(fired):])
	require.NoError(t, vm.MoveClock(24*time.Hour))
	c.batches(t, 2)

	idle(t, vm, "second", 2051)
	c.batches(t, 4) // It is pending for a few seconds of its 20.
	require.NoError(t, vm.MoveClock(time.Hour))
	c.batches(t, 3)
	noFault(t, "alerts: a step forward fires what was pending", transitions(t, c, "present"))
	require.NoError(t, vm.MoveClock(-time.Hour))
	c.stop(t)
}

// idle starts a process of this name that does nothing: a server that nobody asks.
func idle(t *testing.T, vm *machine.Machine, name string, port int) (pid int) {
	t.Helper()
	run(t, vm, "cp /guest /run/%s", name)
	pid, err := vm.Start("/run/"+name+".log", 0, "/run/"+name, "nfs", "/run", "127.0.0.1:"+itoa(port))
	require.NoError(t, err)
	t.Cleanup(func() { _ = vm.Signal(pid, 9) })
	return pid
}

// transitions gives the records of a rule since a time, each with its time.
func transitions(t *testing.T, c *collector, rule string) (found []string) {
	t.Helper()
	text, err := c.vm.Fetch(c.folder + "/alerts.jsonl")
	if err != nil {
		return nil
	}
	for line := range bytes.Lines(text) {
		logs, err := new(plog.JSONUnmarshaler).UnmarshalLogs(line)
		require.NoError(t, err)
		for _, rl := range logs.ResourceLogs().All() {
			for _, sl := range rl.ScopeLogs().All() {
				for _, record := range sl.LogRecords().All() {
					if r := describe(record); strings.Contains(r, rule) {
						found = append(found, r)
					}
				}
			}
		}
	}
	return found
}

func describe(record plog.LogRecord) string {
	var b strings.Builder
	for k, v := range record.Attributes().All() {
		if strings.HasPrefix(k, "alert.") {
			fmt.Fprintf(&b, " %s=%s", k, v.AsString())
		}
	}
	return clockOf(int64(record.Timestamp())) + " " + record.Body().AsString() + b.String()
}
