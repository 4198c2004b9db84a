package alert

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
)

// threeOfFive is a rule whose warning needs three of five samples above 80.
func threeOfFive() []rules.RuleConfig {
	return []rules.RuleConfig{{Name: "busy", Metric: "m", Thresholds: map[string]rules.LevelConfig{
		"warning": {Above: 80, ForSamples: &rules.ForSamplesConfig{Breached: 3, Of: 5}},
	}}}
}

func TestThreeOfFiveSamples(t *testing.T) {
	t.Parallel()
	r := newRig(t, threeOfFive(), nil)
	at := 0.0
	step := func(values ...float64) []string {
		for _, v := range values {
			r.step(at, v)
			at += 15
		}
		return r.transitions()
	}
	assert.Empty(t, step(90, 10, 90, 10, 10, 90), "two of the last five")
	assert.Equal(t, []string{"fire:warning"}, step(90, 10, 90), "90, 10, 90, 90 … three of the last five")
	assert.Empty(t, step(90, 90, 10, 10))
	assert.Equal(t, []string{"resolve"}, step(10))
	assert.Empty(t, step(10, 10, 10, 10, 10))
	assert.Zero(t, r.engine.Stats(base.Add(time.Hour)).Alerts, "nothing is left to count")
}

// A tick decides nothing new: what is held until the next sample counts once.
func TestHeldValuesAreNoSamples(t *testing.T) {
	t.Parallel()
	r := newRig(t, threeOfFive(), func(c *rules.Config) { c.Defaults.Lookback = "5m" })
	r.step(0, 90)
	r.step(15, 90)
	for s := 16.0; s < 200; s += 15 {
		r.engine.Evaluate(base.Add(time.Duration(s * 1e9)))
	}
	assert.Empty(t, r.transitions())
	r.step(200, 90)
	assert.Equal(t, []string{"fire:warning"}, r.transitions())
}

func TestCountedSamplesSurviveARestart(t *testing.T) {
	t.Parallel()
	r := newRig(t, threeOfFive(), nil)
	r.step(0, 90)
	r.step(15, 10)
	r.step(30, 90)
	state := map[string][]byte{}
	for _, op := range r.engine.Snapshot(at(31)) {
		state[op.Key] = op.Value
	}
	r.restart(60)
	require.NoError(t, r.engine.Restore(state, at(60)))
	r.step(61, 90)
	assert.Equal(t, []string{"fire:warning"}, r.transitions())
}

func TestForSamplesIsChecked(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		edit func(*rules.RuleConfig)
		want string
	}{
		{func(rc *rules.RuleConfig) { rc.ForSamples.Breached = 0 }, "for_samples is 0 of 5"},
		{func(rc *rules.RuleConfig) { rc.ForSamples.Of = 2 }, "for_samples is 3 of 2"},
		{func(rc *rules.RuleConfig) { rc.ForSamples.Of = 65 }, "of at most 64"},
		{func(rc *rules.RuleConfig) { rc.For = new(time.Minute) }, `"for" and "for_samples" exclude each other`},
		{func(rc *rules.RuleConfig) {
			rc.Threshold, rc.Absent = nil, &rules.AbsentConfig{For: time.Minute}
		}, `"absent" and "for_samples" exclude each other`},
	} {
		cfg := rules.DefaultConfig()
		rc := rules.RuleConfig{Name: "x", Metric: "m", Threshold: 80, Severity: "warning"}
		rc.ForSamples = &rules.ForSamplesConfig{Breached: 3, Of: 5}
		c.edit(&rc)
		cfg.Rules = []rules.RuleConfig{rc}
		_, err := rules.Compile(cfg)
		require.ErrorContains(t, err, c.want)
	}
	cfg := rules.DefaultConfig()
	cfg.Defaults.For = time.Minute
	cfg.Rules = threeOfFive()
	set, err := rules.Compile(cfg)
	require.NoError(t, err)
	assert.Zero(t, set.Rules[0].Levels[0].ForDuration, "the default of for is for levels that don't count samples")
}
