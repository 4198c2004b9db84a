package vmtest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/vmtest/machine"
	"github.com/otelcol-psutil/otelcol-psutil/vmtest/points"
)

const (
	containerID = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

	newCgroup = 0x02000000 // CLONE_NEWCGROUP
)

// cgroups are paths, and the container that each is of.
var cgroups = []struct{ path, container string }{
	{"/system.slice/web.service", ""},
	{"/system.slice/docker-" + containerID + ".scope", containerID},
	{"/docker/" + containerID, containerID},
	{"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1_2.slice/cri-containerd-" + containerID + ".scope", containerID},
	{"/machine.slice/libpod-" + containerID + ".scope/container", containerID},
	{"/machine.slice/libpod-conmon-" + containerID + ".scope", ""},
	{"/system.slice/crio-conmon-" + containerID + ".scope", ""},
	{"/user.slice/user-1000.slice/session-1.scope", ""},
}

const processConfig = `
receivers:
  psutil:
    collection_interval: 1s
    resource_attributes: {process.linux.cgroup: {enabled: true}, container.id: {enabled: true}}
    scrapers: {process: {collection_interval: 1s, top: {n: 0}, include: {names: [sleep]}, other: false}}
`

// testCgroup has a process in each cgroup, and one that moves, under a Collector that sees all, and one that is in a cgroup namespace.
func testCgroup(t *testing.T, vm *machine.Machine) {
	t.Helper()
	for _, c := range []struct {
		name  string
		flags uintptr
	}{{"host", 0}, {"namespace", newCgroup}} {
		t.Run(c.name, func(t *testing.T) { testCgroupPaths(t, vm, c.flags) })
	}
}

func testCgroupPaths(t *testing.T, vm *machine.Machine, flags uintptr) {
	t.Helper()
	var pids []int
	for _, g := range cgroups {
		run(t, vm, "mkdir -p /sys/fs/cgroup%s", g.path)
		pid, err := vm.Start("/run/sleep.log", 0, "sh", "-c", "echo $$ >/sys/fs/cgroup"+g.path+"/cgroup.procs; exec sleep 600")
		require.NoError(t, err)
		t.Cleanup(func() { _ = vm.Signal(pid, 9) })
		pids = append(pids, pid)
	}
	c := startCollectorIn(t, vm, processConfig+metricsTo("psutil"), flags)
	c.batches(t, 2)
	first, last := cgroups[0].path, cgroups[len(cgroups)-1].path
	run(t, vm, "echo %d >/sys/fs/cgroup%s/cgroup.procs", pids[0], last)
	moved := nowIn(t, vm)
	c.batches(t, 4)
	ps := c.finish(t, points.Allowed{})

	var wrong, helpers []string
	before := ps.Between(0, moved)
	for i, g := range cgroups {
		p := lastOf(before, pids[i])
		require.NotNil(t, p, "points of the process in %s", g.path)
		if told := p.Resource["process.linux.cgroup"]; !strings.HasSuffix(told, ":"+g.path) {
			wrong = append(wrong, fmt.Sprintf("the cgroup is %s, told is %q", g.path, told))
		}
		if told := p.Resource["container.id"]; told != g.container {
			problem := fmt.Sprintf("the container of %s is %q, told is %q", g.path, g.container, told)
			if strings.Contains(g.path, "conmon") {
				helpers = append(helpers, problem)
			} else {
				wrong = append(wrong, problem)
			}
		}
	}
	noFault(t, "cgroup: cgroup and container of a process", wrong)
	noFault(t, "cgroup: a container's helper is no container", helpers)
	var stays []string
	if told := lastOf(ps, pids[0]).Resource["process.linux.cgroup"]; !strings.HasSuffix(told, ":"+last) {
		stays = append(stays, fmt.Sprintf("the process moved from %s to %s, told is %q", first, last, told))
	}
	noFault(t, "cgroup: a process that moves", stays)
}

func lastOf(ps points.Points, pid int) *points.Point {
	found := ps.Of("process.memory.usage", "process.pid", itoa(pid))
	if len(found) == 0 {
		return nil
	}
	return found[len(found)-1]
}
