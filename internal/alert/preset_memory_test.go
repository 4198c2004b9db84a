package alert

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
)

// memoryHost is a host whose memory is partly in free huge pages: these are neither available nor used.
type memoryHost struct {
	*rig
	used, available, limit float64 // negative: not sent
}

// send sends the metrics in one batch, in a given order, or in a batch each.
func (h *memoryHost) send(s float64, order []int, apart bool) {
	h.t.Helper()
	metrics := []struct {
		name, unit string
		value      float64
		point      []attr.Attr
	}{
		{"system.memory.utilization", "1", h.used, []attr.Attr{attr.String("system.memory.state", "used")}},
		{"system.memory.linux.available", "By", h.available, nil},
		{"system.memory.limit", "By", h.limit, nil},
	}
	if !apart {
		h.engine.Begin(at(s))
	}
	for _, i := range order {
		m := &metrics[i]
		if m.value < 0 {
			continue
		}
		if apart {
			h.engine.Begin(at(s))
		}
		matcher := h.engine.Matcher(m.name)
		require.NotNil(h.t, matcher, m.name)
		if matcher.Select(&h.origin, Stream{Unit: m.unit}) {
			matcher.Observe(&Point{Time: at(s).UnixNano(), Value: m.value, Attributes: m.point})
		}
		if apart {
			h.engine.Flush(at(s))
		}
	}
	if !apart {
		h.engine.Flush(at(s))
	}
	h.engine.Evaluate(at(s))
}

// TestMemoryOfThePresetIsWhatIsNotAvailable: in any order of arrival, from the first round on, and the used share where a host sends no more.
func TestMemoryOfThePresetIsWhatIsNotAvailable(t *testing.T) {
	t.Parallel()
	start := func(t *testing.T) *memoryHost {
		t.Helper()
		h := &memoryHost{rig: newRig(t, nil, func(c *rules.Config) { c.Preset = presetAtOnce() })}
		h.origin = attr.Origin{Resource: []attr.Attr{attr.String("host.name", "db1")}}
		return h
	}
	for _, order := range [][]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}} {
		for _, apart := range []bool{false, true} {
			h := start(t)
			for s := 0.0; s <= 150; s += 15 { // Free huge pages: used is less than what is not available.
				h.used, h.available, h.limit = 0.7, 1, 10
				h.send(s, order, apart)
			}
			assert.Equal(t, []string{"memory on db1 is 90.0% used (> 85.0%)"}, h.drainBodies(), "%v %t", order, apart)
			h.used, h.available = 0.97, 3 // The other way round, as in a container with the host's memory.
			for s := 165.0; s <= 210; s += 15 {
				h.send(s, order, apart)
			}
			assert.Equal(t, []string{"resolved: memory on db1 is 70.0% used (≤ 80.0%) (was firing for 2m45s, worst: warning)"}, h.drainBodies(), "%v %t", order, apart)
		}
	}
	h := start(t)
	for s := 0.0; s <= 60; s += 15 { // Never above, though used alone is.
		h.used, h.available, h.limit = 0.97, 3, 10
		h.send(s, []int{0, 1, 2}, false)
	}
	assert.Empty(t, h.drainBodies())
	for name, edit := range map[string]func(*memoryHost){
		"no available":      func(h *memoryHost) { h.available = -1 },
		"no limit":          func(h *memoryHost) { h.limit = -1 },
		"neither":           func(h *memoryHost) { h.available, h.limit = -1, -1 },
		"limit of 0":        func(h *memoryHost) { h.limit = 0 },
		"available is more": func(h *memoryHost) { h.available = 11 },
	} {
		h := start(t)
		h.used, h.available, h.limit = 0.9, 5, 10
		edit(h)
		for s := 0.0; s <= 1200; s += 15 {
			h.send(s, []int{0, 1, 2}, false)
		}
		bodies := slices.DeleteFunc(h.drainBodies(), func(b string) bool { return b == "" })
		assert.Equal(t, []string{"memory on db1 is 90.0% used (> 85.0%)"}, bodies, name)
	}
}
