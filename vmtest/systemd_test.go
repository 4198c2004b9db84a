package vmtest

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/vmtest/machine"
	"github.com/otelcol-psutil/otelcol-psutil/vmtest/points"
)

const (
	unit       = "otelcol-psutil.service"
	serviceDir = "/var/lib/otelcol-psutil"
	etcConfig  = "/etc/otelcol-psutil/config.yaml"
	// packageLimit bounds what takes a second on a machine that is none: dpkg unpacks 100 MB of binaries.
	packageLimit = 5 * time.Minute
)

// serviceConfig has one alert that fires at once and goes on, and metrics of a process of root.
const serviceConfig = `
receivers:
  psutil:
    collection_interval: 1s
    resource_attributes: {process.executable.path: {enabled: true}}
    scrapers: {processes: {}, system: {}, process: {collection_interval: 1s, top: {n: 0}, include: {names: [guest]}, other: false}}
connectors:
  alert:
    storage: file_storage
    rules:
      - {name: always, metric: system.uptime, thresholds: {warning: {above: 0}}}
extensions:
  file_storage: {directory: "${env:STATE_DIRECTORY}"}
exporters:
  file: {path: metrics.jsonl, append: true, flush_interval: 100ms}
  file/alerts: {path: alerts.jsonl, append: true, flush_interval: 100ms}
service:
  extensions: [file_storage]
  telemetry: {metrics: {level: none}, logs: {level: warn, encoding: console}}
  pipelines:
    metrics: {receivers: [psutil], exporters: [file, alert]}
    logs/alerts: {receivers: [alert], exporters: [file/alerts]}
`

// TestSystemd installs the package under a systemd that is process 1, and does what an administrator does, and what an administrator does wrong.
func TestSystemd(t *testing.T) {
	packages := os.Getenv("VMTEST_PACKAGES")
	if packages == "" {
		t.Skip("VMTEST_PACKAGES names no folder with packages: run `make vmtest-all`, which makes them") //nolint:forbidigo // It takes long.
	}
	if os.Geteuid() != 0 {
		t.Skip("the files of a Debian belong to several users: making its disk needs root") //nolint:forbidigo // The other scenarios need none.
	}
	debian, err := machine.FindDebian("./debian-root.sh")
	require.NoError(t, err)
	vm := boot(t, kernels[0], machine.Guest{Agent: buildAgent(t), Debian: debian, Folder: packages})
	s := &service{t: t, collector: &collector{vm: vm, folder: serviceDir}}
	t.Cleanup(s.keepJournal)
	for _, phase := range []scenario{
		{"install", s.testInstall},
		{"capabilities", s.testCapabilities},
		{"reload", s.testReload},
		{"bad reload", s.testBadReload},
		{"kill", s.testKill},
		{"upgrade", s.testUpgrade},
		{"bad start", s.testBadStart},
		{"state", s.testState},
		{"purge", s.testPurge},
	} {
		if !inScenario(t, kernels[0], vm, phase) {
			return // What comes after needs it.
		}
	}
}

// service is the Collector as systemd runs it.
type service struct {
	*collector
	t *testing.T
}

func (s *service) keepJournal() {
	if !s.t.Failed() {
		return
	}
	for name, script := range map[string]string{
		"journal": "journalctl --no-pager -b",
		"metrics": "cat " + serviceDir + "/metrics.jsonl",
		"alerts":  "cat " + serviceDir + "/alerts.jsonl",
	} {
		if _, err := s.vm.Run("sh", "-c", script+" >/run/kept"); err != nil {
			s.t.Log(err)
			continue
		}
		if text, err := s.vm.Fetch("/run/kept"); err == nil {
			keep(s.t, s.vm, name, text)
		}
	}
}

// show gives a property of the unit.
func (s *service) show(t *testing.T, property string) string {
	t.Helper()
	return run(t, s.vm, "systemctl show -p %s --value %s", property, unit)
}

// fails runs a command that is to fail, and gives what it said.
func (s *service) fails(t *testing.T, command string) string {
	t.Helper()
	out, err := s.vm.RunWithin(packageLimit, "sh", "-c", command+" 2>&1")
	require.Error(t, err, "%s succeeded: %s", command, out)
	return out
}

// does runs a command that may take as long as a package does.
func (s *service) does(t *testing.T, command string) string {
	t.Helper()
	out, err := s.vm.RunWithin(packageLimit, "sh", "-ec", command+" 2>&1")
	require.NoError(t, err)
	return out
}

// runs waits until the service writes metrics, and gives its process.
func (s *service) runs(t *testing.T) string {
	t.Helper()
	eventually(t, s.vm, "systemctl is-active -q "+unit)
	s.pid = 1 // awaitLines looks whether this process lives: the service's own may change.
	s.batches(t, 2)
	return s.show(t, "MainPID")
}

func (s *service) write(t *testing.T, config string) {
	t.Helper()
	require.NoError(t, s.vm.Write(etcConfig, config))
}

func (s *service) alerts(t *testing.T) []string {
	t.Helper()
	return transitions(t, s.collector, "always")
}

// testInstall installs the older version. It starts nothing; started, the configuration as installed runs and stops in good order.
func (s *service) testInstall(t *testing.T, vm *machine.Machine) {
	t.Helper()
	said := s.does(t, "dpkg -i /packages/old/*.deb")
	assert.Contains(t, said, "systemctl enable --now otelcol-psutil")
	assert.Contains(t, s.fails(t, "systemctl is-active "+unit), "inactive")
	assert.Equal(t, "600 root", run(t, vm, "stat -c '%%a %%U' /etc/otelcol-psutil/environment"))
	run(t, vm, "getent passwd otelcol-psutil")
	s.does(t, "systemctl start "+unit)
	eventually(t, vm, "[ -d "+serviceDir+" ]")
	assert.Equal(t, "700 otelcol-psutil", run(t, vm, "stat -c '%%a %%U' %s", serviceDir))
	s.does(t, "systemctl stop "+unit)
	assert.Equal(t, "success", s.show(t, "Result"))
	s.write(t, serviceConfig)
	s.does(t, "systemctl enable --now "+unit)
	s.runs(t)
}

// testCapabilities holds that the service has the two capabilities of its unit and no other, and that they do what they are for.
func (s *service) testCapabilities(t *testing.T, vm *machine.Machine) {
	t.Helper()
	pid := s.runs(t)
	const ptraceAndSearch = "0000000000080004" // bits 19 and 2
	for _, set := range []string{"CapPrm", "CapEff", "CapBnd", "CapAmb"} {
		assert.Equal(t, ptraceAndSearch, run(t, vm, "awk '$1==\"%s:\" {print $2}' /proc/%s/status", set, pid), set)
	}
	assert.Equal(t, "1", run(t, vm, "awk '$1==\"NoNewPrivs:\" {print $2}' /proc/%s/status", pid))
	assert.Equal(t, "otelcol-psutil", run(t, vm, "stat -c %%U /proc/%s", pid))
	ps := s.points(t)
	io := ps.Of("process.disk.io")
	require.NotEmpty(t, io, "disk I/O of a process of root")
	assert.Equal(t, "/guest", io[len(io)-1].Resource["process.executable.path"])
}

// testReload loads a changed configuration, in the same process.
func (s *service) testReload(t *testing.T, vm *machine.Machine) {
	t.Helper()
	pid := s.runs(t)
	assert.Empty(t, s.points(t).Of("system.cpu.load_average.1m"))
	s.write(t, strings.Replace(serviceConfig, "scrapers: {", "scrapers: {load: {}, ", 1))
	s.does(t, "systemctl reload "+unit)
	eventually(t, vm, "grep -q load_average "+serviceDir+"/metrics.jsonl")
	assert.Equal(t, pid, s.runs(t))
}

// testBadReload holds that mistakes are told by systemctl, and that the old configuration goes on.
func (s *service) testBadReload(t *testing.T, _ *machine.Machine) {
	t.Helper()
	pid := s.runs(t)
	for _, mistake := range []struct{ from, to string }{
		{"exporters: [file/alerts]", "exporters: [file/nowhere]"},
		{"above: 0", "above: much"},
		{"receivers:", "receivers: ]"},
		{"storage: file_storage", "storage: file_storage/other"},
	} {
		s.write(t, strings.Replace(serviceConfig, mistake.from, mistake.to, 1))
		s.fails(t, "systemctl reload "+unit)
		assert.Equal(t, pid, s.runs(t), "with %s", mistake.to)
	}
	s.write(t, serviceConfig)
	s.does(t, "systemctl reload "+unit)
	assert.Equal(t, pid, s.runs(t))
}

// testKill kills the Collector: systemd starts it again, streams go on from the same start, and what fires does not fire again.
func (s *service) testKill(t *testing.T, vm *machine.Machine) {
	t.Helper()
	pid := s.runs(t)
	eventually(t, vm, "grep -q always "+serviceDir+"/alerts.jsonl")
	fired := s.alerts(t)
	require.Len(t, fired, 1)
	run(t, vm, "kill -9 %s", pid)
	eventually(t, vm, "[ $(systemctl show -p NRestarts --value "+unit+") = 1 ]")
	assert.NotEqual(t, pid, s.runs(t))
	assert.Equal(t, fired, s.alerts(t))
}

// testUpgrade installs the newer version over the one that runs.
func (s *service) testUpgrade(t *testing.T, vm *machine.Machine) {
	t.Helper()
	pid := s.runs(t)
	fired := s.alerts(t)
	old := run(t, vm, "dpkg-query -W -f '${Version}' otelcol-psutil")
	said := s.does(t, "dpkg -i /packages/new/*.deb </dev/null")
	assert.NotContains(t, said, "enable --now", "what is for a first installation")
	assert.NotEqual(t, old, run(t, vm, "dpkg-query -W -f '${Version}' otelcol-psutil"))
	assert.NotEqual(t, pid, s.runs(t), "the old program goes on")
	assert.Equal(t, strings.TrimSpace(serviceConfig), run(t, vm, "cat %s", etcConfig))
	assert.Equal(t, fired, s.alerts(t))
}

// testBadStart holds that a start with a mistake fails, and is given up after the unit's ten attempts.
func (s *service) testBadStart(t *testing.T, vm *machine.Machine) {
	t.Helper()
	s.does(t, "systemctl stop "+unit)
	s.write(t, strings.Replace(serviceConfig, "above: 0", "above: much", 1))
	s.fails(t, "systemctl start "+unit)
	// Ten attempts, 5 seconds from one to the next, and what each takes.
	s.does(t, "until systemctl is-failed -q "+unit+"; do sleep 1; done")
	assert.Contains(t, run(t, vm, "journalctl --no-pager -b -u %s", unit), "Start request repeated too quickly")
	s.fails(t, "systemctl start "+unit)
	s.write(t, serviceConfig)
	s.does(t, "systemctl reset-failed "+unit+"; systemctl start "+unit)
	s.runs(t)
}

// testState holds all that came out against the invariants of streams, over every start that there was.
func (s *service) testState(t *testing.T, _ *machine.Machine) {
	t.Helper()
	ps := s.points(t)
	boot := ps.Of("system.process.created")
	require.NotEmpty(t, boot)
	for _, p := range boot {
		assert.Equal(t, boot[0].Start, p.Start, "the start of %v", p)
	}
	none(t, "what must hold of any stream", points.Check(ps, points.Allowed{}))
	assert.Len(t, s.alerts(t), 1, "what fires fires once, whatever is done to the service")
}

// testPurge takes the package away with all that it wrote. The user stays, for its number must not become another's.
func (s *service) testPurge(t *testing.T, vm *machine.Machine) {
	t.Helper()
	s.does(t, "dpkg --purge otelcol-psutil")
	run(t, vm, "[ ! -e %s ] && [ ! -e /etc/otelcol-psutil ] && [ ! -e /usr/bin/otelcol-psutil ]", serviceDir)
	assert.Equal(t, "not-found", s.show(t, "LoadState"))
	assert.NotEqual(t, "active", s.show(t, "ActiveState"))
	run(t, vm, "getent passwd otelcol-psutil && ! pgrep -u otelcol-psutil && ! find /etc/systemd -name %s | grep .", unit)
}
