package hostpageexporter

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// sendResource sends a scrape of one resource.
func (p *testPage) sendResource(attributes map[string]any, points ...point) {
	p.t.Helper()
	md := pmetric.NewMetrics()
	rm := md.ResourceMetrics().AppendEmpty()
	require.NoError(p.t, rm.Resource().Attributes().FromRaw(attributes))
	p.fill(rm, points)
	require.NoError(p.t, p.metrics.ConsumeMetrics(p.t.Context(), md))
}

// TestControlGroups: what the cgroup scraper sends is a table and no series, on the resource of the host, and processes name their group.
func TestControlGroups(t *testing.T) {
	p := start(t, nil)
	pod := map[string]any{
		"host.name": "web1", "linux.cgroup.path": "/kubepods/pod1/c1", "container.id": "0123456789abcdef", "k8s.pod.name": "shop-1", "k8s.namespace.name": "prod",
		"k8s.container.name": "cart", "k8s.pod.uid": "u1", "container.image.name": "shop:1", "container.runtime.name": "containerd",
	}
	service := map[string]any{"host.name": "web1", "linux.cgroup.path": "/system.slice/ssh.service", "systemd.unit.name": "ssh.service", "systemd.slice": "system.slice"}
	for n := range 3 {
		i := float64(n)
		p.send(point{"system.uptime", false, i, nil})
		p.sendResource(pod,
			point{"container.cpu.time", true, i, map[string]any{"cpu.mode": "user"}}, point{"container.cpu.time", true, i, map[string]any{"cpu.mode": "system"}},
			point{"container.cpu.throttling_data.periods", true, 20 * i, nil}, point{"container.cpu.throttling_data.throttled_periods", true, 5 * i, nil},
			point{"container.cpu.limit", false, 1.5, nil}, point{"container.memory.working_set", false, 900, nil}, point{"container.memory.usage.limit", false, 1000, nil},
			point{"container.disk.io", true, 100 * i, map[string]any{"disk.io.direction": "read", "system.device": "sda"}},
			point{"container.disk.io", true, 300 * i, map[string]any{"disk.io.direction": "read", "system.device": "sdb"}},
			point{"container.disk.io", true, 600 * i, map[string]any{"disk.io.direction": "write", "system.device": "sda"}},
			point{"container.memory.linux.events", true, 2, map[string]any{"linux.cgroup.memory.event": "oom_kill"}},
			point{"container.memory.linux.events", true, 9, map[string]any{"linux.cgroup.memory.event": "max"}}, point{"container.uptime", false, 5, nil})
		p.sendResource(service, point{"container.cpu.time", true, i / 10, nil}, point{"of.another.kind", false, 1, nil})
		p.sendProcess(map[string]any{
			"host.name": "web1", "process.pid": 7, "process.creation.time": "2026-01-01T11:00:00Z", "linux.cgroup.path": "/system.slice/ssh.service",
			"systemd.unit.name": "ssh.service", "systemd.slice": "system.slice",
		}, point{"process.cpu.time", true, i, nil})
		p.advance(2 * time.Second)
	}
	_, a := p.get("/api/groups")
	columns := a["columns"].([]any)
	rows := map[string]map[string]any{}
	for _, r := range a["rows"].([]any) {
		row := map[string]any{}
		for i, name := range columns {
			row[name.(string)] = r.([]any)[i]
		}
		rows[row["path"].(string)] = row
	}
	assert.Equal(t, map[string]any{
		"path": "/kubepods/pod1/c1", "name": "shop-1/cart", "kind": "container", "cpu": 1.0, "cpu_limit": 1.5, "throttled": 0.25, "memory": 900.0,
		"memory_limit": 1000.0, "read": 200.0, "write": 300.0, "oom_kills": 2.0, "unit": nil, "container": "0123456789abcdef", "image": "shop:1",
		"runtime": "containerd", "namespace": "prod", "pod": "shop-1",
	}, rows["/kubepods/pod1/c1"])
	ssh := rows["/system.slice/ssh.service"]
	assert.Equal(t, []any{"ssh.service", "service", 0.05, nil, nil}, []any{ssh["name"], ssh["kind"], ssh["cpu"], ssh["throttled"], ssh["memory_limit"]})

	_, processes := p.get("/api/processes")
	found := map[string]any{}
	for i, name := range processes["columns"].([]any) {
		found[name.(string)] = at(t, processes, "rows", 0, i)
	}
	assert.Equal(t, []any{"ssh.service", "/system.slice/ssh.service"}, []any{found["unit"], found["group"]})

	_, meta := p.get("/api/meta")
	assert.Equal(t, true, at(t, meta, "features", "groups"))
	var names []any
	for _, m := range meta["metrics"].([]any) {
		names = append(names, m.(map[string]any)["name"])
	}
	assert.ElementsMatch(t, []any{"system.uptime", "of.another.kind"}, names, "what has a row is no series")
	assert.Equal(t, map[string]any{"host.name": "web1"}, meta["host"], "groups and processes are of the one host")

	status, _ := p.get("/api/groups?at=nonsense")
	assert.Equal(t, 400, status)
}

func TestNameOfGroup(t *testing.T) {
	p := start(t, nil)
	for i, want := range []struct {
		attributes map[string]any
		name, kind string
	}{
		{map[string]any{"container.name": "db", "container.id": "0123456789abcdef"}, "db", "container"},
		{map[string]any{"container.id": "0123456789abcdef"}, "0123456789ab", "container"},
		{map[string]any{"container.id": "short"}, "short", "container"},
		{map[string]any{"systemd.unit.name": "session-1.scope"}, "session-1.scope", "scope"},
		{map[string]any{"linux.cgroup.path": "other"}, "other", "other"},
		{map[string]any{"linux.cgroup.path": "/a/b"}, "b", "group"},
		{map[string]any{"linux.cgroup.path": "/"}, "/", "group"},
	} {
		if want.attributes["linux.cgroup.path"] == nil {
			want.attributes["linux.cgroup.path"] = "/x"
		}
		p.sendResource(want.attributes, point{"container.cpu.usage", false, 1, nil})
		_, a := p.get("/api/groups")
		assert.Equal(t, []any{want.name, want.kind}, []any{at(t, a, "rows", 0, 1), at(t, a, "rows", 0, 2)}, "%d", i)
		p.advance(time.Second)
	}
}
