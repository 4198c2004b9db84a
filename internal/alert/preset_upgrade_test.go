package alert

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
)

// TestUpgradeOfThePreset: alerts of the preset of before, whose rules fired at once, go on: nothing is said twice and nothing is resolved, and they
// end when their values do.
func TestUpgradeOfThePreset(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil, func(c *rules.Config) { c.Preset = presetAtOnce() })
	r.origin = attr.Origin{Resource: []attr.Attr{attr.String("host.name", "db1")}}
	type series struct {
		metric, unit string
		bad, good    float64
		attrs        []attr.Attr
	}
	s := attr.String
	disk := func(state string, bad, good float64) series {
		return series{"system.filesystem.usage", "By", bad, good, []attr.Attr{
			s("system.filesystem.state", state), s("system.filesystem.mountpoint", "/"), s("system.device", "/dev/sda1"), s("system.filesystem.type", "ext4"),
		}}
	}
	all := []series{
		{"system.cpu.utilization", "1", 0.1, 0.9, []attr.Attr{s("cpu.mode", "idle"), attr.Int("cpu.logical_number", 0)}},
		{"system.memory.utilization", "1", 0.97, 0.2, []attr.Attr{s("system.memory.state", "used")}},
		disk("used", 96, 20), disk("free", 4, 80),
		{"system.paging.utilization", "1", 0.6, 0.1, []attr.Attr{s("system.paging.state", "used"), s("system.device", "/dev/sda2")}},
	}
	send := func(at0 float64, bad bool) {
		t.Helper()
		r.engine.Begin(at(at0))
		for _, x := range all {
			m := r.engine.Matcher(x.metric)
			require.True(t, m.Select(&r.origin, Stream{Unit: x.unit}))
			v := x.good
			if bad {
				v = x.bad
			}
			m.Observe(&Point{Attributes: x.attrs, Time: at(at0).UnixNano(), Value: v})
		}
		r.engine.Flush(at(at0))
		r.engine.Evaluate(at(at0))
	}
	for i := range 5 {
		send(float64(i*15), true)
	}
	assert.ElementsMatch(t, []string{"fire:warning", "fire:critical", "fire:critical", "fire:warning"}, r.transitions(), "cpu, memory, disk, swap")

	r.cfg.Preset = "host"
	r.restartFrom(store{}, 62, 70)
	for i := range 20 {
		send(75+float64(i*15), true)
	}
	assert.Empty(t, r.transitions(), "nothing is said again, and nothing resolved")
	for i := range 40 {
		send(400+float64(i*15), false)
	}
	assert.Equal(t, []string{"resolve", "resolve", "resolve", "resolve"}, r.transitions())
}
