package alert

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
)

func TestPresetHostFires(t *testing.T) {
	t.Parallel()
	cfg := rules.DefaultConfig()
	cfg.Preset = "host"
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
