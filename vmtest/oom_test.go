package vmtest

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/vmtest/machine"
	"github.com/otelcol-psutil/otelcol-psutil/vmtest/points"
)

// oomConfig tells of kills as events, as a counter, and by the preset's rules.
const oomConfig = `
receivers:
  psutil:
    collection_interval: 1s
    scrapers: {memory: {}, paging: {}, cgroup: {top: {n: 0}}}
    events: {kinds: [system.oom_kill]}
connectors:
  alert:
    preset: host
    rules:
      - name: oom_event
        metric: system.events
        match: {event.name: system.oom_kill}
        window: 5m
        full_window: false
        aggregate: increase
        thresholds: {critical: {above: 0}}
exporters:
  file: {path: metrics.jsonl, append: true, flush_interval: 100ms}
  file/events: {path: events.jsonl, append: true, flush_interval: 100ms}
  file/alerts: {path: alerts.jsonl, append: true, flush_interval: 100ms}
service:
  telemetry: {metrics: {level: none}, logs: {level: warn, encoding: console}}
  pipelines:
    metrics: {receivers: [psutil], exporters: [file, alert]}
    logs: {receivers: [psutil], exporters: [file/events]}
    logs/alerts: {receivers: [alert], exporters: [file/alerts]}
`

// testOOM has the kernel kill a process for lack of memory in a group, and then one for lack of memory of the whole system, under a Collector that
// may read the kernel's log, under one that may not and has no privilege, and under one that hears how processes end.
func testOOM(t *testing.T, vm *machine.Machine) {
	t.Helper()
	run(t, vm, "echo 1 >/proc/sys/vm/overcommit_memory; echo 1 >/proc/sys/kernel/dmesg_restrict; echo '+cpu +memory +io +pids' >/sys/fs/cgroup/cgroup.subtree_control")
	for _, c := range []struct{ name, user, source string }{{"log", "", "kernel_log"}, {"no log", "nobody", "inferred"}, {"ends", "", "process_ends"}} {
		t.Run(c.name, func(t *testing.T) {
			if c.source == "process_ends" {
				run(t, vm, "rm /dev/kmsg")
				defer run(t, vm, "mknod /dev/kmsg c 1 11")
			}
			testOOMAs(t, vm, c.user, c.source)
		})
	}
}

func testOOMAs(t *testing.T, vm *machine.Machine, user, source string) {
	t.Helper()
	const limit = 64 << 20
	run(t, vm, "mkdir -p /sys/fs/cgroup/tight.service && echo %d >/sys/fs/cgroup/tight.service/memory.max", limit)
	c := startCollectorAs(t, vm, oomConfig, user)
	c.batches(t, 3) // What is increased has been seen before.
	told := 0
	kill := func(before string) (events []logRecord) {
		run(t, vm, "sh -c 'echo $$ >/run/victim; %s exec dd if=/dev/zero of=/dev/null bs=1200M' || true", before)
		pid := run(t, vm, "cat /run/victim")
		killed := nowIn(t, vm)
		within := 2 * time.Second // By the next look, of which there is one each second.
		if source != "kernel_log" {
			within += 3 * time.Second // A large process takes its time to end.
		}
		events = c.awaitRecords(t, "event", 6, func() []logRecord { return c.events(t, "system.oom_kill")[told:] })
		told++
		for _, e := range events {
			by := e.Attributes["system.oom_kill.source"]
			if source == "inferred" && by == "process_ends" {
				by = source // Linux tells everybody how processes end, since 6.6.
			}
			assert.Equal(t, source, by)
			// Before that nobody is known without privileges who began and grew between two looks, and nobody else may be named.
			if of := e.Attributes["process.pid"]; source != "inferred" || of != "" {
				assert.Equal(t, pid, of)
				assert.Equal(t, "dd", e.Attributes["process.executable.name"])
			}
			assert.LessOrEqual(t, time.Duration(e.Observed-killed), within)
		}
		return events
	}

	inGroup := kill("echo $$ >/sys/fs/cgroup/tight.service/cgroup.procs;")
	assert.Equal(t, "/tight.service", inGroup[0].Attributes["system.oom_kill.cgroup"])
	assert.Equal(t, "tight.service", inGroup[0].Attributes["systemd.unit.name"])
	assert.Equal(t, "cgroup", inGroup[0].Attributes["system.oom_kill.constraint"])
	assert.Equal(t, fmt.Sprint(limit), inGroup[0].Attributes["system.oom_kill.limit"])
	if source == "process_ends" {
		size, err := strconv.Atoi(inGroup[0].Attributes["process.memory.usage"])
		require.NoError(t, err)
		assert.Greater(t, size, limit/2, "the most that it had")
	}
	for _, rule := range []string{"oom_event", "oom_kills", "group_oom_kills"} {
		fired := c.awaitRecords(t, "alert "+rule, 5, func() []logRecord { return c.fired(t, rule) })
		t.Logf("%s: %s", rule, fired[0].Body)
	}
	assert.NotEmpty(t, c.fired(t, "group_oom_kills", "linux.cgroup.path", "/tight.service"), "%v", keysOf(c.fired(t, "group_oom_kills")))

	ofSystem := kill("")
	if source == "kernel_log" {
		assert.Equal(t, "host", ofSystem[0].Attributes["system.oom_kill.constraint"])
		assert.Empty(t, ofSystem[0].Attributes["system.oom_kill.limit"])
	}
	c.batches(t, 2)
	all := c.events(t, "system.oom_kill")
	assert.Len(t, all, 2, "one event a kill: %v", all)
	kills := run(t, vm, "awk '/^oom_kill /{print $2}' /proc/vmstat")
	ps := c.finish(t, points.Allowed{})
	counted := ps.Of("system.memory.linux.oom_kills")
	require.NotEmpty(t, counted)
	assert.Equal(t, kills, fmt.Sprint(counted[len(counted)-1].Value))
	events := ps.Of("system.events", "event.name", "system.oom_kill")
	require.NotEmpty(t, events)
	assert.InDelta(t, 2, events[len(events)-1].Value, 0)
	run(t, vm, "rmdir /sys/fs/cgroup/tight.service")
}
