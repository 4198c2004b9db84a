package alerts

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/e2e/harness"
	"github.com/otelcol-psutil/otelcol-psutil/internal/testenv"
)

// eventful tells of events and of units, and has a rule of each that an administrator would have.
const eventful = `
receivers:
  psutil:
    collection_interval: 500ms
    initial_delay: 0s
    %[1]s
    scrapers: {load: {}, systemd: {}}
    events: {kinds: [systemd.unit.failed, system.oom_kill]}
connectors:
  alert:
    evaluation_interval: 1s
    rules:
      - {name: failed, metric: systemd.unit.state, match: {systemd.unit.active_state: failed}, group_by: [resource.systemd.unit.name], thresholds: {critical: {above: 0}}}
      - {name: flaps, metric: systemd.service.restarts, window: 20s, aggregate: increase, full_window: false, group_by: [resource.systemd.unit.name], thresholds: {warning: {above: 3}}}
      - {name: timer, metric: systemd.timer.last_trigger.age, group_by: [resource.systemd.unit.name], thresholds: {warning: {above: 1ms}}}
      - {name: degraded, metric: systemd.system.state, match: {systemd.system.state: degraded}, thresholds: {warning: {above: 0}}}
      - {name: oom, metric: system.events, match: {event.name: system.oom_kill}, window: 1m, aggregate: increase, full_window: false, thresholds: {critical: {above: 0}}}
exporters:
  file: {path: %[2]q, flush_interval: 50ms}
  file/events: {path: %[3]q, flush_interval: 50ms}
service:
  telemetry: {metrics: {level: none}}
  pipelines:
    metrics: {receivers: [psutil], exporters: [alert]}
    logs: {receivers: [psutil], exporters: [file/events]}
    logs/alerts: {receivers: [alert], exporters: [file]}
`

// eventsHost is the distribution with that configuration.
type eventsHost struct{ alerts, events harness.AlertFile }

func startEventful(t *testing.T, settings string) eventsHost {
	t.Helper()
	dir := t.TempDir()
	h := eventsHost{harness.AlertFile(filepath.Join(dir, "alerts.jsonl")), harness.AlertFile(filepath.Join(dir, "events.jsonl"))}
	harness.Start(t, dir, fmt.Sprintf(eventful, settings, string(h.alerts), string(h.events)))
	h.events.Until(t, "the host as an entity", func() bool { return len(h.events.Read(t)) > 0 })
	return h
}

// named gives the records of an event with this value of an attribute.
func (h eventsHost) named(t *testing.T, event, key, value string) (found []harness.AlertRecord) {
	t.Helper()
	for _, r := range h.events.Read(t) {
		if r.Event == event && r.Attributes[key] == value {
			found = append(found, r)
		}
	}
	return found
}

// units are what a systemd of the test has.
var units = map[string]string{
	"flap.service": "[Unit]\nStartLimitIntervalSec=0\n[Service]\nExecStart=/bin/sh -c 'exit 0'\nRestart=always\nRestartSec=200ms\n",
	"fail.service": "[Service]\nType=oneshot\nExecStart=/bin/sh -c 'exit 3'\n",
	"tick.service": "[Service]\nType=oneshot\nExecStart=/bin/true\n",
	"tick.timer":   "[Timer]\nOnActiveSec=100ms\nOnUnitActiveSec=1s\nAccuracySec=1ms\n",
	"test.target":  "[Unit]\nWants=flap.service tick.timer\n",
}

// startSystemd starts this machine's own systemd as the manager of a user whose directory of sockets is that of a host below root.
func startSystemd(t *testing.T, root string) (systemctl func(args ...string)) {
	t.Helper()
	testenv.Root(t, "a mount namespace")
	program := testenv.Program(t, "/lib/systemd/systemd")
	unshare, control := testenv.Program(t, "unshare"), testenv.Program(t, "systemctl")
	run := filepath.Join(root, "run")
	for name, text := range units {
		require.NoError(t, os.MkdirAll(filepath.Join(run, "systemd/user"), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(run, "systemd/user", name), []byte(text), 0o600))
	}
	// It starts only where it finds that the host was booted by a systemd.
	const script = "mount -t tmpfs none /run && mkdir -p /run/systemd/system && exec %s --user --unit=test.target"
	cmd := exec.Command(unshare, "-m", "sh", "-c", fmt.Sprintf(script, program))
	cmd.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+run, "SYSTEMD_LOG_TARGET=console", "HOME="+root)
	manager := harness.Run(t, root, cmd)
	t.Cleanup(func() { _ = manager.Stop(t, os.Interrupt) })
	harness.Eventually(t, "the socket of systemd", func() error {
		_, err := os.Stat(filepath.Join(run, "systemd/private"))
		return err
	})
	return func(args ...string) {
		ctl := exec.Command(control, append([]string{"--user"}, args...)...)
		ctl.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+run)
		out, err := ctl.CombinedOutput()
		t.Logf("systemctl %v: %v %s", args, err, out)
	}
}

// TestSystemdUnits holds metrics, events and alerts of a unit that fails, of one that restarts again and again, and of a timer, of a real systemd.
func TestSystemdUnits(t *testing.T) {
	t.Parallel()
	root := harness.CopyHosts(t, t.TempDir(), "server-6.x")[0]
	systemctl := startSystemd(t, root)
	h := startEventful(t, fmt.Sprintf("root_path: %q", root))
	unit := func(rule string) string {
		r := h.alerts.Await(t, rule, "fire", 1)
		return r.Attributes["systemd.unit.name"] + r.Resource["systemd.unit.name"]
	}
	assert.Contains(t, unit("timer"), "tick.timer")
	assert.Contains(t, unit("flaps"), "flap.service")
	assert.Empty(t, h.alerts.Of(t, "failed"))
	systemctl("start", "fail.service")
	assert.Contains(t, unit("failed"), "fail.service")
	h.alerts.Await(t, "degraded", "fire", 1)
	const event = "systemd.unit.failed"
	h.events.Until(t, "an event", func() bool { return len(h.named(t, event, "systemd.unit.name", "fail.service")) == 1 })
	r := h.named(t, event, "systemd.unit.name", "fail.service")[0]
	assert.Equal(t, "exit-code", r.Attributes["systemd.service.result"])
	assert.Equal(t, "3", r.Attributes["process.exit.code"])
	systemctl("reset-failed", "fail.service")
	h.alerts.Await(t, "failed", "resolve", 1)
	h.alerts.Await(t, "degraded", "resolve", 1)
	systemctl("start", "fail.service")
	h.events.Until(t, "another event", func() bool { return len(h.named(t, event, "systemd.unit.name", "fail.service")) == 2 })
}

// TestOOMKill has the kernel kill a process for the limit of its group, and holds the event with its victim, and the alert on the counter.
func TestOOMKill(t *testing.T) {
	t.Parallel()
	testenv.Root(t, "control groups, and the kernel's log")
	procs := limitedGroup(t)
	h := startEventful(t, "")
	assert.Empty(t, h.alerts.Of(t, "oom"))
	victim := exec.Command("/bin/sh", "-c", "echo $$ >"+procs+" && exec tail /dev/zero")
	require.Error(t, victim.Run())
	pid := strconv.Itoa(victim.Process.Pid)
	h.events.Until(t, "an event of the victim", func() bool { return len(h.named(t, "system.oom_kill", "process.pid", pid)) == 1 })
	assert.Equal(t, "tail", h.named(t, "system.oom_kill", "process.pid", pid)[0].Attributes["process.executable.name"])
	h.alerts.Await(t, "oom", "fire", 1)
}

// limitedGroup makes a control group with a limit of memory, and returns the file to which a process writes its number to be in it.
func limitedGroup(t *testing.T) string {
	t.Helper()
	for _, version := range []struct{ at, limit string }{{"/sys/fs/cgroup/memory", "memory.limit_in_bytes"}, {"/sys/fs/cgroup", "memory.max"}} {
		dir := filepath.Join(version.at, fmt.Sprintf("oom-e2e-%d", os.Getpid()))
		if _, err := os.Stat(filepath.Join(version.at, "cgroup.procs")); err != nil || os.Mkdir(dir, 0o755) != nil {
			continue
		}
		t.Cleanup(func() { _ = os.Remove(dir) })
		if os.WriteFile(filepath.Join(dir, version.limit), []byte("25165824"), 0o600) == nil {
			return filepath.Join(dir, "cgroup.procs")
		}
	}
	testenv.Missing(t, "no control group with a limit of memory can be made")
	return ""
}
