package alert

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPresetHostFires(t *testing.T) {
	t.Parallel()
	cfg := DefaultConfig()
	cfg.Preset = "host"
	ruleSet, err := Compile(cfg)
	require.NoError(t, err)
	e := New(ruleSet, base)
	feed := func(s float64, metric string, v float64, attrs ...[]Attr) {
		o := &Origin{Resource: []Attr{{"host.name", StringValue("db1")}}}
		e.Begin(at(s))
		m := e.Matcher(metric)
		require.True(t, m.Select(o, Stream{Unit: "1"}))
		for _, a := range attrs {
			m.Observe(&Point{Attributes: a, Time: at(s).UnixNano(), Value: v})
		}
		e.Flush(at(s))
		e.Evaluate(at(s))
	}
	idle := func(cpu int64) []Attr {
		return []Attr{{"cpu.mode", StringValue("idle")}, {"cpu.logical_number", IntValue(cpu)}}
	}
	user := []Attr{{"cpu.mode", StringValue("user")}, {"cpu.logical_number", IntValue(0)}}
	feed(0, "system.cpu.utilization", 0.1, idle(0), idle(1), user)
	// Of all blocks 91 % are used, of those that are not reserved 96 %.
	for _, s := range []float64{0, 15} {
		for state, share := range map[string]float64{"used": 0.912, "free": 0.038, "reserved": 0.05} {
			feed(s, "system.filesystem.usage", share*1e11, []Attr{
				{"system.filesystem.state", StringValue(state)},
				{"system.filesystem.mountpoint", StringValue("/")},
				{"system.device", StringValue("/dev/sda1")},
				{"system.filesystem.mode", StringValue("rw")},
			})
		}
	}
	feed(0, "system.paging.utilization", 0.5, []Attr{{"system.paging.state", StringValue("used")}})
	var bodies []string
	for _, ev := range e.Peek(nil, 10) {
		bodies = append(bodies, ev.SeverityText+": "+ev.Body)
		for _, a := range ev.Attributes(nil) {
			assert.NotEqual(t, "host.name", a.Key, "it stands in the record's resource")
		}
	}
	assert.Equal(t, []string{"warning: CPU on db1 is 90.0% busy (> 80.0%)", "critical: disk / on db1 is 96.0% full (> 95.0%)"}, bodies)
}
