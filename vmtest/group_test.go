package vmtest

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/vmtest/machine"
	"github.com/otelcol-psutil/otelcol-psutil/vmtest/points"
)

const groupConfig = `
receivers:
  psutil:
    collection_interval: 1s
    metrics:
      container.pids.count: {enabled: true}
      container.cpu.linux.pressure.total: {enabled: true}
    scrapers: {cgroup: {top: {n: 0}}}
`

// groupVersion is how the kernel is told and asked by one version of control groups. A kernel gives version 1 a controller when version 2 has no group with it any more, and a group goes with the last page of its memory.
type groupVersion struct {
	name    string
	mount   string // what mounts it, and makes the groups
	at      func(controller string) string
	limit   string // commands that limit CPU and memory of a group, whose name is $1
	cpu     string // command that prints its CPU time in microseconds
	periods string // … throttled periods
	kills   string // … OOM kills
	memory  string // … memory in bytes
	read    string // … bytes that it read
	psi     bool
	ioLimit string // command that limits reads from device $2, far above what it does; where the kernel counts I/O only then
}

var groupVersions = []groupVersion{
	{
		name:  "version 2",
		mount: "echo '+cpu +memory +io +pids' >/sys/fs/cgroup/cgroup.subtree_control",
		at:    func(string) string { return "/sys/fs/cgroup" },
		limit: "cd /sys/fs/cgroup/$1 && echo '20000 100000' >cpu.max && echo 33554432 >memory.max",
		cpu:   "awk '/^(user|system)_usec/{s+=$2} END{print s}' /sys/fs/cgroup/$1/cpu.stat", periods: "awk '/^nr_throttled/{print $2}' /sys/fs/cgroup/$1/cpu.stat",
		kills: "awk '/^oom_kill /{print $2}' /sys/fs/cgroup/$1/memory.events", memory: "cat /sys/fs/cgroup/$1/memory.current",
		read: "sed 's/.*rbytes=\\([0-9]*\\).*/\\1/' /sys/fs/cgroup/$1/io.stat | awk '{s+=$1} END{print s+0}'", psi: true,
	},
	{
		name: "version 1",
		mount: "sync; echo 3 >/proc/sys/vm/drop_caches; find /sys/fs/cgroup -mindepth 1 -depth -type d -exec rmdir {} ';'; " +
			"echo '-cpu -memory -io -pids' >/sys/fs/cgroup/cgroup.subtree_control; umount /sys/fs/cgroup; mount -t tmpfs tmpfs /sys/fs/cgroup; cd /sys/fs/cgroup; for c in cpu,cpuacct memory blkio pids; do mkdir $c; " +
			"i=0; until mount -t cgroup -o $c cgroup $c 2>/dev/null; do i=$((i+1)); [ $i -lt 20 ] || { rmdir $c; break; }; sleep 0.1; done; done",
		at:    func(controller string) string { return "/sys/fs/cgroup/" + controller },
		limit: "cd /sys/fs/cgroup && echo 20000 >cpu,cpuacct/$1/cpu.cfs_quota_us && { [ ! -d memory ] || echo 33554432 >memory/$1/memory.limit_in_bytes; }",
		cpu:   "awk '{s+=$2} END{print s*10000}' /sys/fs/cgroup/cpu,cpuacct/$1/cpuacct.stat", periods: "awk '/^nr_throttled/{print $2}' /sys/fs/cgroup/cpu,cpuacct/$1/cpu.stat",
		kills: "awk '/^oom_kill /{print $2}' /sys/fs/cgroup/memory/$1/memory.oom_control", memory: "cat /sys/fs/cgroup/memory/$1/memory.usage_in_bytes",
		read:    "awk '$2==\"Read\"{s+=$3} END{print s+0}' /sys/fs/cgroup/blkio/$1/blkio.throttle.io_service_bytes_recursive",
		ioLimit: "echo $2 1073741824 >/sys/fs/cgroup/blkio/$1/blkio.throttle.read_bps_device",
	},
}

// testGroups has a group that is throttled, is killed for lack of memory, and reads from a disk, and one that goes; by each version of control groups.
func testGroups(t *testing.T, vm *machine.Machine) {
	t.Helper()
	for i := range groupVersions {
		v := &groupVersions[i]
		t.Run(v.name, func(t *testing.T) { testGroup(t, vm, v) })
	}
	run(t, vm, "umount /sys/fs/cgroup/* 2>/dev/null; umount /sys/fs/cgroup; mount -t cgroup2 cgroup2 /sys/fs/cgroup")
}

func testGroup(t *testing.T, vm *machine.Machine, v *groupVersion) {
	t.Helper()
	const group = "limited.service"
	run(t, vm, "%s", v.mount)
	controllers := strings.Fields(run(t, vm, "ls -d /sys/fs/cgroup/cpu,cpuacct /sys/fs/cgroup/memory /sys/fs/cgroup/blkio 2>/dev/null || true"))
	if len(controllers) == 0 {
		controllers = []string{"/sys/fs/cgroup"}
	}
	join := ""
	for _, c := range controllers {
		run(t, vm, "mkdir %s/%s %s/short.service", c, group, c)
		join += fmt.Sprintf("echo $$ >%s/%s/cgroup.procs; ", c, group)
	}
	run(t, vm, "set -- %s; %s", group, v.limit)
	run(t, vm, "dd if=/dev/zero of=/mnt/group bs=64k count=32 conv=fsync 2>&1; echo 3 >/proc/sys/vm/drop_caches")
	ask := func(command string) float64 {
		n, err := strconv.ParseFloat(run(t, vm, "set -- %s; %s", group, strings.ReplaceAll(command, "%", "%%")), 64)
		require.NoError(t, err)
		return n
	}
	unlimited := readWithoutLimit(t, vm, v, group, join, ask)
	c := startCollector(t, vm, groupConfig+metricsTo("psutil"))
	c.batches(t, 2)

	run(t, vm, "sh -c '%s dd if=/mnt/group of=/dev/null bs=64k 2>&1; end=$(($(date +%%s)+4)); while [ $(date +%%s) -lt $end ]; do :; done'", join)
	hasMemory := len(controllers) == 1 || strings.Contains(strings.Join(controllers, " "), "/memory")
	if hasMemory {
		run(t, vm, "sh -c '%s tail /dev/zero' || true", join)
	}
	for _, c := range controllers {
		run(t, vm, "rmdir %s/short.service", c)
	}
	c.batches(t, 3)
	cpu, throttled := ask(v.cpu)/1e6, ask(v.periods)
	log := run(t, vm, "cat %s/log", c.folder)
	ps := c.finish(t, points.Allowed{})

	last := func(metric string, attributes ...string) float64 {
		found := ps.Of(metric, append(attributes, "linux.cgroup.path", "/"+group)...)
		if !assert.NotEmpty(t, found, metric) {
			return 0
		}
		return found[len(found)-1].Value
	}
	assert.InDelta(t, cpu, last("container.cpu.time", "cpu.mode", "user")+last("container.cpu.time", "cpu.mode", "system"), 0.02, "CPU time")
	assert.Greater(t, cpu, 0.2, "it was busy")
	assert.InDelta(t, throttled, last("container.cpu.throttling_data.throttled_periods"), 0.5)
	assert.Greater(t, throttled, 3.0, "it was throttled")
	assert.InDelta(t, 0.2, last("container.cpu.limit"), 1e-9)
	var most float64
	for _, p := range ps.Of("container.cpu.limit.utilization", "linux.cgroup.path", "/"+group) {
		most = max(most, p.Value)
	}
	assert.Greater(t, most, 0.5, "share of the limit")
	if hasMemory {
		assert.InDelta(t, ask(v.kills), last("container.memory.linux.events", "linux.cgroup.memory.event", "oom_kill"), 0)
		assert.GreaterOrEqual(t, ask(v.kills), 1.0, "a process was killed")
		assert.InDelta(t, ask(v.memory), last("container.memory.usage"), 1<<20)
		assert.InDelta(t, 33554432, last("container.memory.usage.limit"), 0)
	} else {
		t.Log("this kernel has no memory controller of version 1")
	}
	var read float64
	for _, stream := range ps.Of("container.disk.io", "linux.cgroup.path", "/"+group, "disk.io.direction", "read").Streams() {
		read += stream[len(stream)-1].Value
	}
	assert.InDelta(t, ask(v.read), read, 0, "bytes read")
	assert.GreaterOrEqual(t, read, unlimited+32*64<<10)
	if v.psi {
		assert.Positive(t, last("container.cpu.linux.pressure.total", "system.linux.pressure.stall_type", "some"))
	}
	assert.NotEmpty(t, ps.Of("container.cpu.time", "linux.cgroup.path", "/short.service"))
	assert.NotContains(t, log, "can't be read", "a group that goes is no fault")
	for _, c := range controllers {
		run(t, vm, "rmdir %s/%s", c, group)
	}
}

// readWithoutLimit has the group read before its I/O is limited, gives what the kernel counted of it, and sets the limit. By
// version 1 the kernels that are tested count nothing before.
func readWithoutLimit(t *testing.T, vm *machine.Machine, v *groupVersion, group, join string, ask func(string) float64) float64 {
	t.Helper()
	if v.ioLimit == "" {
		return 0
	}
	run(t, vm, "sh -c '%s dd if=/mnt/group of=/dev/null bs=64k 2>&1'; echo 3 >/proc/sys/vm/drop_caches", join)
	counted := ask(v.read)
	assert.Zero(t, counted, "counted before there is a limit: docs/containers.md")
	disk := run(t, vm, "cat /sys/dev/block/$(awk '$5==\"/\"{print $3}' /proc/self/mountinfo)/../dev")
	run(t, vm, "set -- %s %s; %s", group, disk, v.ioLimit)
	return counted
}
