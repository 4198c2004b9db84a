package alert

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
)

func TestPresetHostFires(t *testing.T) {
	t.Parallel()
	cfg := rules.DefaultConfig()
	cfg.Preset = presetAtOnce()
	ruleSet, err := rules.Compile(cfg)
	require.NoError(t, err)
	e := New(ruleSet, base)
	feed := func(s float64, metric string, v float64, attrs ...[]attr.Attr) {
		o := &attr.Origin{Resource: []attr.Attr{attr.String("host.name", "db1")}}
		e.Begin(at(s))
		m := e.Matcher(metric)
		require.True(t, m.Select(o, Stream{Unit: "1"}))
		for _, a := range attrs {
			m.Observe(&Point{Attributes: a, Time: at(s).UnixNano(), Value: v})
		}
		e.Flush(at(s))
		e.Evaluate(at(s))
	}
	idle := func(cpu int64) []attr.Attr {
		return []attr.Attr{attr.String("cpu.mode", "idle"), attr.Int("cpu.logical_number", cpu)}
	}
	user := []attr.Attr{attr.String("cpu.mode", "user"), attr.Int("cpu.logical_number", 0)}
	feed(0, "system.cpu.utilization", 0.1, idle(0), idle(1), user)
	// Of all blocks 91 % are used, of those that are not reserved 96 %.
	for _, s := range []float64{0, 15} {
		for state, share := range map[string]float64{"used": 0.912, "free": 0.038, "reserved": 0.05} {
			feed(s, "system.filesystem.usage", share*1e11, []attr.Attr{
				attr.String("system.filesystem.state", state),
				attr.String("system.filesystem.mountpoint", "/"),
				attr.String("system.device", "/dev/sda1"),
				attr.String("system.filesystem.mode", "rw"),
			})
		}
	}
	feed(0, "system.paging.utilization", 0.5, []attr.Attr{attr.String("system.paging.state", "used")})
	var bodies []string
	for _, ev := range e.Peek(nil, 10) {
		bodies = append(bodies, ev.SeverityText+": "+ev.Body)
		for _, a := range ev.Attributes(nil) {
			assert.NotEqual(t, "host.name", a.Key, "it stands in the record's resource")
		}
	}
	assert.Equal(t, []string{"warning: CPU on db1 is 90.0% busy (> 80.0%)", "critical: disk / on db1 is 96.0% full (> 95.0%)"}, bodies)
}

// TestPresetTakesTheOldForm: what hostmetricsreceiver calls the same gives the same alerts, with the same attributes.
func TestPresetTakesTheOldForm(t *testing.T) {
	t.Parallel()
	type point struct {
		metric, unit string
		value        float64
		ours, old    []attr.Attr
	}
	s := attr.String
	disk := func(state string, value float64) point {
		return point{
			"system.filesystem.usage", "By", value,
			[]attr.Attr{
				s("system.filesystem.state", state), s("system.filesystem.mountpoint", "/"), s("system.device", "/dev/sda1"),
				s("system.filesystem.mode", "rw"), s("system.filesystem.type", "ext4"),
			},
			[]attr.Attr{s("state", state), s("mountpoint", "/"), s("device", "/dev/sda1"), s("mode", "rw"), s("type", "ext4")},
		}
	}
	cpu := func(number int64, mode, old string, value float64) point {
		return point{
			"system.cpu.utilization", "1", value,
			[]attr.Attr{s("cpu.mode", mode), attr.Int("cpu.logical_number", number)},
			[]attr.Attr{s("state", old), s("cpu", fmt.Sprint("cpu", number))},
		}
	}
	points := []point{
		cpu(0, "idle", "idle", 0.02), cpu(0, "iowait", "wait", 0.05), cpu(0, "user", "user", 0.93),
		cpu(1, "idle", "idle", 0.02), cpu(1, "iowait", "wait", 0.13), cpu(1, "user", "user", 0.85),
		{"system.memory.utilization", "1", 0.97, []attr.Attr{s("system.memory.state", "used")}, []attr.Attr{s("state", "used")}},
		{"system.memory.utilization", "1", 0.01, []attr.Attr{s("system.memory.state", "buffers")}, []attr.Attr{s("state", "buffered")}},
		disk("used", 91.2e9), disk("free", 3.8e9), disk("reserved", 5e9),
		{
			"system.paging.utilization", "1", 0.7,
			[]attr.Attr{s("system.device", "/dev/sda2"), s("system.paging.state", "used")},
			[]attr.Attr{s("device", "/dev/sda2"), s("state", "used")},
		},
	}
	alerts := func(of func(point) []attr.Attr) []string {
		cfg := rules.DefaultConfig()
		cfg.Preset = presetAtOnce()
		ruleSet, err := rules.Compile(cfg)
		require.NoError(t, err)
		e := New(ruleSet, base)
		for _, at := range []time.Time{at(0), at(15)} {
			e.Begin(at)
			for _, p := range points {
				m := e.Matcher(p.metric)
				require.True(t, m.Select(&attr.Origin{Resource: []attr.Attr{s("host.name", "db1")}}, Stream{Unit: p.unit}))
				m.Observe(&Point{Attributes: of(p), Time: at.UnixNano(), Value: p.value})
			}
			e.Flush(at)
			e.Evaluate(at)
		}
		var out []string
		for _, ev := range e.Peek(nil, 10) {
			out = append(out, fmt.Sprint(ev.SeverityText, ": ", ev.Body, " ", ev.Attributes(nil)))
		}
		return out
	}
	ours := alerts(func(p point) []attr.Attr { return p.ours })
	require.Len(t, ours, 4, "cpu, memory, disk and swap")
	assert.Equal(t, ours, alerts(func(p point) []attr.Attr { return p.old }))
}

// presetAtOnce is the preset with rules that fire at the first value.
func presetAtOnce() rules.PresetConfig {
	atOnce := rules.RuleConfig{LevelConfig: rules.LevelConfig{For: new(time.Duration)}}
	return rules.PresetConfig{Host: &rules.HostPresetConfig{Override: map[string]rules.RuleConfig{"cpu": atOnce, "memory": atOnce}}}
}
