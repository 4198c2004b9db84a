package translate

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-psutil/otelcol-psutil/internal/hostmetrics"
)

func sortedKeys(points map[string]float64) []string {
	keys := make([]string, 0, len(points))
	for key := range points {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

func put(p pmetric.NumberDataPoint, attributes string, value float64) {
	p.SetDoubleValue(value)
	for pair := range strings.SplitSeq(attributes, ",") {
		if key, v, ok := strings.Cut(pair, "="); ok {
			p.Attributes().PutStr(key, v)
		}
	}
}

func values(metrics pmetric.MetricSlice) map[string]float64 {
	out := map[string]float64{}
	for _, m := range metrics.All() {
		for _, p := range m.Gauge().DataPoints().All() {
			out[m.Name()+"{"+text(p.Attributes())+"}"] += p.DoubleValue()
		}
	}
	return out
}

func text(attributes pcommon.Map) string {
	var parts []string
	for key, v := range attributes.All() {
		parts = append(parts, key+"="+v.AsString())
	}
	slices.Sort(parts)
	return strings.Join(parts, ",")
}

// points makes a slice of metrics, each with its points.
func points(all map[string]map[string]float64) pmetric.MetricSlice {
	metrics := pmetric.NewMetricSlice()
	for name, p := range all {
		m := metrics.AppendEmpty()
		m.SetName(name)
		of := m.SetEmptyGauge().DataPoints()
		for _, attributes := range sortedKeys(p) {
			put(of.AppendEmpty(), attributes, p[attributes])
		}
	}
	return metrics
}

func TestToOurs(t *testing.T) {
	for name, c := range map[string]struct {
		old  map[string]map[string]float64
		want map[string]float64
	}{
		"what is not apart here is added up, in whatever order": {
			map[string]map[string]float64{"system.cpu.utilization": {
				"cpu=cpu0,state=interrupt": 1, "cpu=cpu0,state=softirq": 2, "cpu=cpu10,state=softirq": 5, "cpu=cpu10,state=interrupt": 4, "cpu=cpu0,state=wait": 3,
			}},
			map[string]float64{
				"system.cpu.utilization{cpu.logical_number=0,cpu.mode=interrupt}":  3,
				"system.cpu.utilization{cpu.logical_number=10,cpu.mode=interrupt}": 9,
				"system.cpu.utilization{cpu.logical_number=0,cpu.mode=iowait}":     3,
			},
		},
		"states of processes": {
			map[string]map[string]float64{"system.processes.count": {
				"status=blocked": 1, "status=idle": 2, "status=running": 4, "status=sleeping": 8, "status=zombies": 16, "status=unknown": 32,
			}},
			map[string]float64{
				"system.process.count{process.state=sleeping}": 11, "system.process.count{process.state=running}": 4,
				"system.process.count{process.state=defunct}": 16, "system.process.count{process.state=unknown}": 32,
			},
		},
		"none to be added to": {
			map[string]map[string]float64{"system.processes.count": {"status=blocked": 1, "status=idle": 2}},
			map[string]float64{"system.process.count{process.state=sleeping}": 3},
		},
		"parts of other states": {
			map[string]map[string]float64{"system.memory.usage": {"state=slab_reclaimable": 1, "state=buffered": 2, "state=used": 3}},
			map[string]float64{"system.memory.usage{system.memory.state=buffers}": 2, "system.memory.usage{system.memory.state=used}": 3},
		},
		"shares in percent": {
			map[string]map[string]float64{"process.memory.utilization": {"": 12}},
			map[string]float64{"process.memory.utilization{}": 0.12},
		},
		"rates and samples": {
			map[string]map[string]float64{
				"system.network.packets.rate": {"device=eth0,direction=receive": 1}, "system.network.io.rate.p95": {"device=eth0,direction=receive": 2},
			},
			map[string]float64{
				"system.network.packet.count.rate{network.io.direction=receive,system.device=eth0}":    1,
				"system.network.io.rate.p95{network.interface.name=eth0,network.io.direction=receive}": 2,
			},
		},
		"metrics of others": {
			map[string]map[string]float64{"jvm.memory.used": {"state=wait": 1}},
			map[string]float64{"jvm.memory.used{state=wait}": 1},
		},
	} {
		metrics := points(c.old)
		ToOurs().Metrics(metrics)
		got := values(metrics)
		for key, want := range c.want {
			assert.InDelta(t, want, got[key], 1e-12, "%s: %s", name, key)
		}
		assert.Len(t, got, len(c.want), "%s: %v", name, got)
	}
}

func TestToOld(t *testing.T) {
	for name, c := range map[string]struct {
		ours map[string]map[string]float64
		want map[string]float64
	}{
		"a share of what can be used": {
			map[string]map[string]float64{"system.filesystem.utilization": {
				"system.filesystem.mountpoint=/,system.filesystem.state=free": 0.3, "system.filesystem.mountpoint=/,system.filesystem.state=reserved": 0.1,
				"system.filesystem.mountpoint=/,system.filesystem.state=used": 0.6,
			}},
			map[string]float64{"system.filesystem.utilization{mountpoint=/}": 2.0 / 3},
		},
		"nothing on it": {
			map[string]map[string]float64{"system.filesystem.utilization": {"system.filesystem.state=used": 0, "system.filesystem.state=free": 0}},
			map[string]float64{"system.filesystem.utilization{}": 0},
		},
		"sockets of UDP are left out": {
			map[string]map[string]float64{"system.network.connection.count": {
				"network.connection.state=fin_wait_1,network.transport=tcp": 1, "network.connection.state=closed,network.transport=udp": 2,
			}},
			map[string]float64{"system.network.connections{protocol=tcp,state=FIN_WAIT1}": 1},
		},
		"what stands elsewhere is left out": {
			map[string]map[string]float64{"system.memory.linux.slab.usage": {"system.memory.linux.slab.state=reclaimable": 1}}, map[string]float64{},
		},
		"what has no old name keeps ours": {
			map[string]map[string]float64{
				"system.cpu.frequency.max": {"cpu.logical_number=0": 1}, "process.cpu.utilization.window": {"cpu.mode=user": 2},
			},
			map[string]float64{"system.cpu.frequency.max{cpu.logical_number=0}": 1, "process.cpu.utilization.window{cpu.mode=user}": 2},
		},
	} {
		metrics := points(c.ours)
		ToOld().Metrics(metrics)
		got := values(metrics)
		for key, want := range c.want {
			assert.InDelta(t, want, got[key], 1e-12, "%s: %s", name, key)
		}
		assert.Len(t, got, len(c.want), "%s: %v", name, got)
	}
}

// TestStatesOfManyFilesystems: each is judged by its own states, in whatever order they come.
func TestStatesOfManyFilesystems(t *testing.T) {
	metrics := pmetric.NewMetricSlice()
	m := metrics.AppendEmpty()
	m.SetName("system.filesystem.utilization")
	of := m.SetEmptyGauge().DataPoints()
	for i := range 5 {
		for _, state := range []string{"used", "free", "reserved"} {
			share := map[string]float64{"used": 0.1 * float64(i+1), "free": 0.5 - 0.1*float64(i), "reserved": 0.4}[state]
			put(of.AppendEmpty(), fmt.Sprintf("system.filesystem.mountpoint=/%d,system.filesystem.state=%s", i, state), share)
		}
	}
	ToOld().Metrics(metrics)
	got := values(metrics)
	for i := range 5 {
		assert.InDelta(t, 0.1*float64(i+1)/0.6, got[fmt.Sprintf("system.filesystem.utilization{mountpoint=/%d}", i)], 1e-12)
	}
}

// TestDistributions: those that would have to be added up stay as they are.
func TestDistributions(t *testing.T) {
	metrics := pmetric.NewMetricSlice()
	m := metrics.AppendEmpty()
	m.SetName("system.cpu.utilization.distribution")
	of := m.SetEmptyExponentialHistogram().DataPoints()
	for _, mode := range []string{"iowait", "interrupt", "softirq"} {
		of.AppendEmpty().Attributes().PutStr("cpu.mode", mode)
	}
	found := func() (all []string) {
		for _, p := range of.All() {
			all = append(all, text(p.Attributes()))
		}
		return all
	}
	ToOld().Metrics(metrics)
	assert.Equal(t, []string{"state=wait", "state=interrupt", "state=softirq"}, found())
	ToOurs().Metrics(metrics)
	assert.Equal(t, []string{"cpu.mode=iowait", "cpu.mode=interrupt", "state=softirq"}, found())
}

// TestThereAndBack: every metric of the table, with its attributes at every value that differs, comes back as it was.
func TestThereAndBack(t *testing.T) {
	for i := range hostmetrics.Metrics {
		row := &hostmetrics.Metrics[i]
		if row.Elsewhere || row.ShareOf != "" {
			continue
		}
		for j := range row.Attributes {
			a := &row.Attributes[j]
			for _, v := range append(slices.Clone(a.Values), hostmetrics.Value{Value: "other", Old: "other"}) {
				if v.Value == "" || v.Old == "" {
					continue
				}
				metrics := pmetric.NewMetricSlice()
				m := metrics.AppendEmpty()
				m.SetName(row.Name + ".rate")
				put(m.SetEmptyGauge().DataPoints().AppendEmpty(), a.Key+"="+v.Value, 1)
				before := values(metrics)
				ToOld().Metrics(metrics)
				assert.Contains(t, values(metrics), row.OldName()+".rate{"+a.Old+"="+v.Old+"}")
				ToOurs().Metrics(metrics)
				assert.Equal(t, before, values(metrics))
			}
		}
	}
}

// TestAttributesNeedNoMemory: those of a point are moved into what held those of the point before.
func TestAttributesNeedNoMemory(t *testing.T) {
	metrics := pmetric.NewMetricSlice()
	m := metrics.AppendEmpty()
	of := m.SetEmptyGauge().DataPoints()
	for i := range 1000 {
		put(of.AppendEmpty(), fmt.Sprintf("network.interface.name=eth%d,network.io.direction=receive", i), 1)
	}
	there, back := ToOld(), ToOurs()
	allocated := testing.AllocsPerRun(10, func() {
		m.SetName("system.network.io")
		there.Metrics(metrics)
		back.Metrics(metrics)
	})
	assert.Less(t, allocated, 20.0)
}
