package ladder

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// twoLevels is a ladder of a level above 80 that fires after 10 and one above 95 that fires at once; both clear 10 below, and wait for 5.
func twoLevels() []Level {
	return []Level{
		{Comparison: Above, Low: 80, ClearLow: 70, ForDuration: 10, KeepFiringFor: 5},
		{Comparison: Above, Low: 95, ClearLow: 85, KeepFiringFor: 5},
	}
}

func TestMachine(t *testing.T) {
	t.Parallel()
	type step struct {
		t     int64
		v     float64
		level int
	}
	for _, c := range []struct {
		name  string
		steps []step
	}{
		{"a level waits for its for", []step{{0, 90, 0}, {9, 90, 0}, {10, 90, 1}}},
		{"a value that is well begins the wait again", []step{{0, 90, 0}, {5, 60, 0}, {10, 90, 0}, {19, 90, 0}, {20, 90, 1}}},
		{"a level without a for fires over one that waits", []step{{0, 90, 0}, {1, 96, 2}}},
		{"between bound and clear the level stays", []step{{0, 96, 2}, {1, 86, 2}, {100, 86, 2}}},
		{"it steps down to what still holds", []step{{0, 96, 2}, {1, 82, 2}, {6, 82, 1}, {7, 75, 1}, {8, 60, 1}, {13, 60, 0}}},
		{"a return ends the wait of keep_firing_for", []step{{0, 96, 2}, {1, 60, 2}, {5, 90, 2}, {6, 60, 2}, {10, 60, 2}, {11, 60, 0}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m := NewMachine(2)
			for _, s := range c.steps {
				before := m.Level
				from, _ := m.Step(s.t, twoLevels(), Reading{Value: s.v})
				assert.Equal(t, before, from)
				assert.Equal(t, s.level, m.Level, "at %d", s.t)
			}
		})
	}
}

func TestTimeWithoutDataDoesNotCount(t *testing.T) {
	t.Parallel()
	m := NewMachine(2)
	m.Step(0, twoLevels(), Reading{Value: 90})
	assert.True(t, m.Pending())
	m.Shift(100)
	m.Step(105, twoLevels(), Reading{Value: 90})
	assert.Zero(t, m.Level)
	m.Step(110, twoLevels(), Reading{Value: 90})
	assert.Equal(t, 1, m.Level)
	m.Drop()
	assert.Equal(t, Unset, m.Recovering)
}

func TestFlapping(t *testing.T) {
	t.Parallel()
	rule := &FlappingRule{Enabled: true, Transitions: 3, Within: 100, StableFor: 50}
	var f Flapping
	assert.Equal(t, FlappingPass, f.Observe(rule, Change{Time: 0, Opens: true}))
	assert.Equal(t, FlappingPass, f.Observe(rule, Change{Time: 10}))
	assert.Equal(t, FlappingPass, f.Observe(rule, Change{Time: 20, Opens: true}), "an alert opens with its fire")
	assert.Equal(t, FlappingStart, f.Observe(rule, Change{Time: 30}))
	assert.Equal(t, FlappingHold, f.Observe(rule, Change{Time: 40}))
	assert.Equal(t, FlappingEscalate, f.Observe(rule, Change{Time: 50, Worsens: true}))
	assert.False(t, f.Stable(rule, 99))
	assert.True(t, f.Stable(rule, 100))
	f = Flapping{Times: []int64{1, 2}}
	assert.Equal(t, FlappingPass, f.Observe(rule, Change{Time: 3, Forgotten: true}), "what is gone does not flap")
	assert.Equal(t, FlappingPass, f.Observe(&FlappingRule{}, Change{Time: 4}), "a latch that is off")
}
