package vmtest

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/vmtest/machine"
	"github.com/otelcol-psutil/otelcol-psutil/vmtest/points"
)

// fullConfig has the subjects of a Debian with units, containers and disks, the events, and the preset.
const fullConfig = `
receivers:
  psutil:
    collection_interval: 1s
    resource_attributes: {container.id: {enabled: true}, container.name: {enabled: true}, systemd.unit.name: {enabled: true}, linux.cgroup.path: {enabled: true}}
    scrapers:
      memory:
      paging:
      filesystem:
      raid:
      btrfs:
      disk_health: {collection_interval: 1s}
      systemd:
      cgroup: {top: {n: 0}}
      process: {collection_interval: 1s, top: {n: 0}, include: {names: [guest]}, other: false}
    events: {kinds: [system.oom_kill, systemd.unit.failed, system.filesystem.mounted, system.filesystem.read_only]}
connectors:
  alert:
    preset: {host: {override: {system_degraded: {for: 5s}}}}
    storage: file_storage
extensions:
  file_storage: {directory: "${env:STATE_DIRECTORY}"}
exporters:
  file: {path: metrics.jsonl, append: true, flush_interval: 100ms}
  file/events: {path: events.jsonl, append: true, flush_interval: 100ms}
  file/alerts: {path: alerts.jsonl, append: true, flush_interval: 100ms}
service:
  extensions: [file_storage]
  telemetry: {metrics: {level: none}, logs: {level: warn, encoding: console}}
  pipelines:
    metrics: {receivers: [psutil], exporters: [file, alert]}
    logs: {receivers: [psutil], exporters: [file/events]}
    logs/alerts: {receivers: [alert], exporters: [file/alerts]}
`

// TestDebian has what happens on a server with systemd: units fail, restart and are triggered, podman runs containers, disks fail; told of by the service
// as the package installs it.
func TestDebian(t *testing.T) {
	packages := os.Getenv("VMTEST_PACKAGES")
	if packages == "" {
		t.Skip("VMTEST_PACKAGES names no folder with packages: run `make vmtest-all`, which makes them") //nolint:forbidigo // It takes long.
	}
	if os.Geteuid() != 0 {
		t.Skip("the files of a Debian belong to several users: making its disk needs root") //nolint:forbidigo // The other scenarios need none.
	}
	debian, err := machine.FindDebian("./debian-root.sh")
	require.NoError(t, err)
	series := kernels[len(kernels)-1]
	vm := boot(t, series, machine.Guest{Agent: buildAgent(t), Debian: debian, Folder: packages})
	s := &service{t: t, collector: &collector{vm: vm, folder: serviceDir}}
	t.Cleanup(s.keepJournal)
	for _, phase := range []scenario{
		{"as installed", s.testQuiet},
		{"units", s.testUnits},
		{"oom in a unit", s.testUnitOOM},
		{"podman", s.testPodman},
		{"raid", s.testRaid},
		{"btrfs", s.testBtrfs},
		{"read-only", s.testReadOnly},
	} {
		inScenario(t, series, vm, phase)
	}
}

// complaints are the lines that the service has written to the journal since it was started last, at the level of a warning or above. On a machine that is
// none systemd may be late, which is said once.
func (s *service) complaints(t *testing.T) string {
	t.Helper()
	return run(t, s.vm, "journalctl --no-pager -o cat _SYSTEMD_INVOCATION_ID=$(systemctl show -p InvocationID --value %s) | grep -E '\t(warn|error)\t' | grep -v -e 'systemd has not answered yet' -e 'asking systemd: context deadline exceeded' || true", unit)
}

// testQuiet installs the package and starts it as it is, but for the address of the backend, which nobody has here: nothing that the default scrapers read
// is refused by the unit.
func (s *service) testQuiet(t *testing.T, vm *machine.Machine) {
	t.Helper()
	s.does(t, "dpkg -i /packages/new/*.deb")
	installed := run(t, vm, "cat %s", etcConfig)
	from := strings.Index(installed, "\nexporters:")
	to := strings.Index(installed, "\nextensions:")
	require.Positive(t, from)
	require.Greater(t, to, from)
	quiet := installed[:from] + "\nexporters:\n  file: {path: metrics.jsonl, append: true, flush_interval: 100ms}\n" + installed[to:]
	quiet = strings.NewReplacer("otlp_grpc", "file", "collection_interval: 15s", "collection_interval: 1s", "receivers: [alert]\n      exporters: [file]",
		"receivers: [alert]\n      exporters: [file/alerts]", "exporters:\n  file:", "exporters:\n  file/alerts: {path: alerts.jsonl}\n  file:").Replace(quiet)
	s.write(t, quiet)
	s.does(t, "systemctl enable --now "+unit)
	s.runs(t)
	s.batches(t, 3)
	assert.Empty(t, s.complaints(t), "with the default scrapers")
	ps := s.points(t)
	for _, metric := range []string{"system.clock.max_error", "system.clock.synchronized", "system.network.tcp.segments", "system.filesystem.read_only", "process.disk.io"} {
		assert.NotEmpty(t, ps.Of(metric), metric)
	}
	none(t, "what must hold of any stream", points.Check(ps, points.Allowed{}))
}

// restartFull starts the service again, with fullConfig and without what it had stored.
func (s *service) restartFull(t *testing.T) {
	t.Helper()
	s.does(t, "systemctl stop "+unit+"; rm -rf "+serviceDir+"/*")
	s.write(t, fullConfig)
	s.does(t, "systemctl start "+unit)
	s.runs(t)
}

func (s *service) unitFile(t *testing.T, name, text string) {
	t.Helper()
	require.NoError(t, s.vm.Write("/etc/systemd/system/"+name, text))
}

// testUnits has a unit that fails, one that is restarted again and again, and a timer.
func (s *service) testUnits(t *testing.T, vm *machine.Machine) {
	t.Helper()
	s.restartFull(t)
	s.unitFile(t, "fail.service", "[Service]\nType=oneshot\nExecStart=/bin/sh -c 'exit 3'\n")
	s.unitFile(t, "flap.service", "[Unit]\nStartLimitIntervalSec=0\n[Service]\nExecStart=/bin/false\nRestart=always\nRestartSec=1\n")
	s.unitFile(t, "tick.service", "[Service]\nType=oneshot\nExecStart=/bin/true\n")
	s.unitFile(t, "tick.timer", "[Timer]\nOnActiveSec=1s\nOnUnitActiveSec=5s\nAccuracySec=100ms\n")
	s.unitFile(t, "hand.service", "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/sh -c 'test -e /run/hand'\n")
	s.does(t, "systemctl daemon-reload; systemctl start flap.service tick.timer")
	s.batches(t, 2)
	s.does(t, "systemctl start hand.service; touch /run/hand; systemctl start hand.service; systemctl is-active hand.service")
	recovered := s.awaitRecords(t, "event of the unit that failed and was started again at once", 4, func() []logRecord {
		return s.events(t, "systemd.unit.failed", "systemd.unit.name", "hand.service")
	})
	assert.Len(t, recovered, 1)
	began := time.Now()
	s.fails(t, "systemctl start fail.service")
	failed := s.awaitRecords(t, "event of the unit that failed", 4, func() []logRecord {
		return s.events(t, "systemd.unit.failed", "systemd.unit.name", "fail.service")
	})
	assert.Len(t, failed, 1)
	assert.Equal(t, "3", failed[0].Attributes["process.exit.code"])
	assert.Equal(t, "exit-code", failed[0].Attributes["systemd.service.result"])
	flapping := s.awaitRecords(t, "alert of the unit that restarts", 30, func() []logRecord {
		return s.fired(t, "unit_restarting", "systemd.unit.name", "flap.service")
	})
	t.Logf("%s, after %v", flapping[0].Body, time.Since(began).Round(time.Second))
	degraded := s.awaitRecords(t, "alert of the system", 30, func() []logRecord { return s.fired(t, "system_degraded") })
	t.Logf("%s, after %v", degraded[0].Body, time.Since(began).Round(time.Second))
	alert := s.awaitRecords(t, "alert of the unit that failed", 90, func() []logRecord {
		return s.fired(t, "unit_failed", "systemd.unit.name", "fail.service")
	})
	t.Logf("%s, after %v", alert[0].Body, time.Since(began).Round(time.Second))
	const trigger = "date -d \"$(systemctl show -p LastTriggerUSec --value tick.timer)\" +%s"
	ask := func() [2]float64 {
		return [2]float64{s.number(t, "systemctl show -p NRestarts --value flap.service"), s.number(t, trigger)}
	}
	before := ask()
	s.batches(t, 2)
	after := ask()
	ps := s.points(t)
	last := func(metric, name string, attributes ...string) float64 {
		return lastOfHost(ps, metric, append(attributes, "systemd.unit.name", name)...)
	}
	flaps := s.events(t, "systemd.unit.failed", "systemd.unit.name", "flap.service")
	assert.InDelta(t, before[0], len(flaps), 5, "each failure of the unit that systemd starts again")
	assert.Equal(t, "auto-restart", flaps[0].Attributes["systemd.unit.sub_state"])
	for i, told := range []float64{last("systemd.service.restarts", "flap.service"), last("systemd.timer.last_trigger.time", "tick.timer")} {
		assert.GreaterOrEqual(t, told, before[i])
		assert.LessOrEqual(t, told, after[i]+2, "a scrape may come after the second answer, and its time has fractions")
	}
	assert.Positive(t, last("systemd.timer.last_trigger.age", "tick.timer"))
	assert.InDelta(t, 1, last("systemd.unit.state", "fail.service", "systemd.unit.active_state", "failed"), 0)
	assert.InDelta(t, 0, last("systemd.unit.state", "fail.service", "systemd.unit.active_state", "active"), 0)
	assert.Equal(t, run(t, vm, "systemctl list-units --failed --no-legend --plain | wc -l"), fmt.Sprint(lastOfHost(ps, "systemd.unit.failed")))
	assert.InDelta(t, 1, lastOfHost(ps, "systemd.system.state", "systemd.system.state", "degraded"), 0)
	run(t, vm, "systemctl stop flap.service tick.timer; systemctl reset-failed")
	assert.Empty(t, s.complaints(t))
}

// number gives what a command prints.
func (s *service) number(t *testing.T, command string) float64 {
	t.Helper()
	n, err := strconv.ParseFloat(run(t, s.vm, "%s", command), 64)
	require.NoError(t, err, "%s", command)
	return n
}

func lastOfHost(ps points.Points, metric string, attributes ...string) float64 {
	found := ps.Of(metric, attributes...)
	if len(found) == 0 {
		return -1
	}
	return found[len(found)-1].Value
}

// documentedDropIn is what docs/events.md tells an administrator to write.
func documentedDropIn(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../docs/events.md")
	require.NoError(t, err)
	_, from, ok := strings.Cut(string(text), "```ini\n")
	require.True(t, ok)
	dropIn, _, _ := strings.Cut(from, "```")
	return dropIn
}

// testUnitOOM has the kernel kill a process in a unit with a limit of memory. The service may not read the kernel's log, so that the victim is the largest
// process that has gone; with the capability that docs/events.md names it is the one of the log.
func (s *service) testUnitOOM(t *testing.T, vm *machine.Machine) {
	t.Helper()
	s.unitFile(t, "hungry.service", "[Service]\nMemoryMax=64M\nMemorySwapMax=0\nExecStart=/bin/dd if=/dev/zero of=/dev/null bs=300M\n")
	s.does(t, "systemctl daemon-reload")
	for _, source := range []string{"inferred", "kernel_log"} {
		t.Run(source, func(t *testing.T) {
			if source == "kernel_log" {
				s.unitFile(t, unit+".d/log.conf", documentedDropIn(t))
				s.does(t, "systemctl daemon-reload")
			}
			s.restartFull(t)
			s.batches(t, 3)
			s.does(t, "systemctl start hungry.service; while systemctl is-active -q hungry.service; do sleep 0.1; done")
			killed := s.awaitRecords(t, "event of the kill", 5, func() []logRecord { return s.events(t, "system.oom_kill") })
			require.Len(t, killed, 1)
			if source == "kernel_log" { // Else it grew and was killed between two looks.
				assert.Equal(t, "dd", killed[0].Attributes["process.executable.name"], "%v", killed[0])
			}
			assert.Equal(t, source, killed[0].Attributes["system.oom_kill.source"])
			if source == "kernel_log" {
				assert.Equal(t, "hungry.service", killed[0].Attributes["systemd.unit.name"])
				assert.Equal(t, "67108864", killed[0].Attributes["system.oom_kill.limit"])
			}
			failed := s.awaitRecords(t, "event of the unit", 5, func() []logRecord {
				return s.events(t, "systemd.unit.failed", "systemd.unit.name", "hungry.service")
			})
			assert.Equal(t, "oom-kill", failed[0].Attributes["systemd.service.result"])
			s.awaitRecords(t, "alert oom_kills", 5, func() []logRecord { return s.fired(t, "oom_kills") })
			run(t, vm, "systemctl reset-failed")
		})
	}
}

// testPodman has containers of podman: their names and identifiers are those of podman, on their groups and on their processes.
func (s *service) testPodman(t *testing.T, _ *machine.Machine) {
	t.Helper()
	s.does(t, "mkdir -p /run/box && cp /guest /run/box/ && tar -C /run/box -c guest | podman import - box")
	s.restartFull(t)
	ids := make(map[string]string)
	for name, flags := range map[string]string{"web": "--memory=64m", "cache": "--cgroup-manager=cgroupfs"} {
		manager, rest := "", flags
		if strings.HasPrefix(flags, "--cgroup-manager") {
			manager, rest = flags, ""
		}
		out := s.does(t, fmt.Sprintf("podman %s run -d --network=none %s --name %s localhost/box /guest burn 1 10m", manager, rest, name))
		lines := strings.Fields(out)
		ids[name] = lines[len(lines)-1]
	}
	s.batches(t, 4)
	ps := s.points(t)
	for name, id := range ids {
		for _, metric := range []string{"container.cpu.time", "process.cpu.time"} {
			found := ps.Of(metric, "container.id", id)
			if !assert.NotEmpty(t, found, "%s of %s", metric, name) {
				continue
			}
			resource := found[len(found)-1].Resource
			assert.Equal(t, name, resource["container.name"], "%s: %v", metric, resource)
			if metric == "container.cpu.time" {
				assert.Equal(t, "podman", resource["container.runtime.name"])
				assert.Contains(t, resource["container.image.name"], "localhost/box")
			}
		}
	}
	limits := ps.Of("container.memory.usage.limit", "container.id", ids["web"])
	if assert.NotEmpty(t, limits) {
		assert.InDelta(t, 64<<20, limits[len(limits)-1].Value, 0)
	}
	assert.Empty(t, s.complaints(t))
	s.does(t, "podman rm -f -t 0 web cache")
}

// loops makes loop devices of files in memory, and gives their paths.
func loops(t *testing.T, vm *machine.Machine, name string, n int, size string) []string {
	t.Helper()
	return strings.Fields(run(t, vm, "modprobe loop; for i in $(seq %d); do f=/tmp/%s$i; truncate -s %s $f; losetup -f --show $f; done", n, name, size))
}

// testRaid has an array of two disks of which one fails and is replaced.
func (s *service) testRaid(t *testing.T, vm *machine.Machine) {
	t.Helper()
	disks := loops(t, vm, "raid", 2, "32M")
	s.does(t, "export MDADM_NO_UDEV=1; modprobe raid1; mdadm --create /dev/md0 --run --metadata=1.2 --level=1 --raid-devices=2 "+strings.Join(disks, " ")+" </dev/null; mdadm --wait /dev/md0 || true")
	s.restartFull(t)
	s.batches(t, 2)
	state := func(name string) float64 {
		return lastOfHost(s.points(t), "hw.status", "hw.id", "md/md0", "hw.state", name)
	}
	assert.InDelta(t, 1, state("ok"), 0)
	run(t, vm, "mdadm /dev/md0 --fail %s 2>&1", disks[0])
	s.batches(t, 3)
	assert.InDelta(t, 0, state("ok"), 0)
	assert.InDelta(t, 1, state("degraded"), 0)
	ps := s.points(t)
	for name, n := range map[string]float64{"active": 1, "failed": 1} {
		assert.InDelta(t, n, lastOfHost(ps, "system.linux.md.disks", "system.device", "md0", "system.linux.md.disk.state", name), 0, name)
	}
	run(t, vm, "mdadm /dev/md0 --remove %s 2>&1; mdadm --zero-superblock %s 2>&1; mdadm /dev/md0 --add %s 2>&1; mdadm --wait /dev/md0 || true", disks[0], disks[0], disks[0])
	s.batches(t, 3)
	assert.InDelta(t, 1, state("ok"), 0, "repaired: %s", run(t, vm, "cat /proc/mdstat"))
	assert.Empty(t, s.complaints(t))
	run(t, vm, "mdadm --stop /dev/md0 2>&1")
}

// testBtrfs has a btrfs of two disks, one of which forgets what was written to it.
func (s *service) testBtrfs(t *testing.T, vm *machine.Machine) {
	t.Helper()
	disks := loops(t, vm, "btrfs", 2, "200M")
	s.does(t, "modprobe btrfs; mkfs.btrfs -q -L data -d raid1 -m raid1 "+strings.Join(disks, " ")+"; btrfs device scan; mkdir -p /mnt/data; mount "+disks[0]+" /mnt/data; "+
		"dd if=/dev/urandom of=/mnt/data/file bs=1M count=40; sync")
	s.restartFull(t)
	s.batches(t, 2)
	before := s.points(t)
	uuid := run(t, vm, "blkid -s UUID -o value %s", disks[0])
	errors := func(ps points.Points) float64 {
		var sum float64
		for _, stream := range ps.Of("system.btrfs.errors", "system.btrfs.uuid", uuid, "error.type", "corruption").Streams() {
			sum += stream[len(stream)-1].Value
		}
		return sum
	}
	assert.NotEmpty(t, before.Of("system.btrfs.allocation.usage", "system.btrfs.label", "data", "system.btrfs.allocation.type", "data"))
	assert.Zero(t, errors(before))
	// Noise over the second disk behind the filesystem's back, but for its beginning, and a scrub finds it.
	run(t, vm, "dd if=/dev/urandom of=%s bs=1M seek=80 count=100 conv=notrunc 2>&1; sync; echo 3 >/proc/sys/vm/drop_caches; btrfs scrub start -B /mnt/data 2>&1 || true", disks[1])
	s.batches(t, 3)
	counted, err := strconv.ParseFloat(run(t, vm, "btrfs device stats /mnt/data | awk '/corruption_errs/{s+=$2} END{print s}'"), 64)
	require.NoError(t, err)
	assert.Positive(t, counted, "the scrub finds what was overwritten")
	assert.InDelta(t, counted, errors(s.points(t)), 0)
	s.awaitRecords(t, "alert btrfs_errors", 15, func() []logRecord { return s.fired(t, "btrfs_errors") })
	assert.Empty(t, s.complaints(t))
	run(t, vm, "umount /mnt/data")
}

// testReadOnly has a filesystem that becomes read-only, and one error of it.
func (s *service) testReadOnly(t *testing.T, vm *machine.Machine) {
	t.Helper()
	disk := loops(t, vm, "ext4", 1, "64M")[0]
	s.does(t, "mkfs.ext4 -q "+disk+"; mkdir -p /mnt/ext; mount -o errors=remount-ro "+disk+" /mnt/ext; touch /mnt/ext/file; sync")
	s.restartFull(t)
	s.batches(t, 2)
	readOnly := func() float64 {
		return lastOfHost(s.points(t), "system.filesystem.read_only", "system.filesystem.mountpoint", "/mnt/ext")
	}
	assert.InDelta(t, 0, readOnly(), 0)
	run(t, vm, "mount -o remount,ro /mnt/ext")
	event := s.awaitRecords(t, "event", 5, func() []logRecord {
		return s.events(t, "system.filesystem.read_only", "system.filesystem.mountpoint", "/mnt/ext")
	})
	t.Log(event[0].Body)
	s.batches(t, 2)
	assert.InDelta(t, 1, readOnly(), 0)
	// That an error makes it read-only, this kernel does not show in mountinfo: the count of errors tells.
	run(t, vm, "mount -o remount,rw /mnt/ext; echo test >/sys/fs/ext4/%s/trigger_fs_error", disk[len("/dev/"):])
	s.batches(t, 2)
	assert.InDelta(t, 1, lastOfHost(s.points(t), "system.filesystem.linux.ext4.errors", "system.filesystem.mountpoint", "/mnt/ext"), 0)
	assert.Empty(t, s.complaints(t))
	run(t, vm, "umount /mnt/ext")
}
