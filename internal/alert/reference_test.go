package alert

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// dependent is a rule on m that looks at alerts of the rule down, on d.
func dependent(edit func(rc *rules.RuleConfig)) []rules.RuleConfig {
	still := &rules.FlappingConfig{Enabled: new(bool)}
	load := rules.RuleConfig{Name: "load", Metric: "m", Flapping: still, Thresholds: map[string]rules.LevelConfig{"warning": {Above: 80}, "critical": {Above: 95}}}
	edit(&load)
	return []rules.RuleConfig{load, {Name: "down", Metric: "d", Flapping: still, Thresholds: map[string]rules.LevelConfig{"warning": {Above: 0}, "critical": {Above: 5}}}}
}

func unlessDown(edit func(*rules.ReferenceConfig)) []rules.RuleConfig {
	return dependent(func(rc *rules.RuleConfig) {
		rc.Unless = &rules.ReferenceConfig{Rule: "down", Equal: []string{"host.name"}}
		if edit != nil {
			edit(rc.Unless)
		}
	})
}

func besideDown(edit func(*rules.RuleConfig)) []rules.RuleConfig {
	return dependent(func(rc *rules.RuleConfig) {
		rc.And = &rules.ReferenceConfig{Rule: "down", Equal: []string{"host.name"}}
		if edit != nil {
			edit(rc)
		}
	})
}

// together feeds a value of m and one of d in one batch, and lets time do its work.
func (r *rig) together(s, m, d float64) {
	r.t.Helper()
	r.engine.Begin(at(s))
	for metric, v := range map[string]float64{"m": m, "d": d} {
		of := r.engine.Matcher(metric)
		require.True(r.t, of.Select(&r.origin, Stream{Unit: "1"}))
		of.Observe(&Point{Time: at(s).UnixNano(), Value: v})
	}
	r.engine.Flush(at(s))
	r.engine.Evaluate(at(s))
}

// round is together, and returns the records.
func (r *rig) round(s, m, d float64) []string {
	r.t.Helper()
	r.together(s, m, d)
	var out []string
	for _, ev := range r.drain() {
		out = append(out, fmt.Sprintf("%s %s %s", ev.Rule, ev.Transition, ev.Severity))
	}
	return out
}

func TestUnless(t *testing.T) {
	t.Parallel()
	t.Run("a new alert is held back, and told when the other ends if it is still true", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, unlessDown(nil), nil)
		assert.Equal(t, []string{"down fire warning"}, r.round(0, 10, 1))
		assert.Empty(t, r.round(15, 90, 1))
		assert.Equal(t, uint64(1), r.engine.Stats(at(15)).EventsSuppressed["unless"])
		assert.Empty(t, r.round(30, 10, 1), "has come and gone")
		assert.Empty(t, r.round(45, 99, 1))
		assert.Equal(t, []string{"down resolve warning", "load fire critical"}, r.round(60, 99, 0))
		assert.Equal(t, []string{"load resolve critical"}, r.round(75, 1, 0))
	})
	t.Run("what was announced stays, and its end is told", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, unlessDown(nil), nil)
		assert.Equal(t, []string{"load fire warning"}, r.round(0, 90, 0))
		assert.Equal(t, []string{"down fire warning"}, r.round(15, 90, 1))
		assert.Empty(t, r.round(30, 99, 1), "worse can wait")
		assert.Equal(t, []string{"load resolve warning"}, r.round(45, 9, 1))
		assert.Empty(t, r.round(60, 99, 1))
		assert.Equal(t, []string{"down resolve warning", "load fire critical"}, r.round(75, 99, 0))
	})
	t.Run("both at once: the other's holds back", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, unlessDown(nil), nil)
		assert.Equal(t, []string{"down fire critical"}, r.round(0, 99, 9))
	})
	t.Run("a flapping alert holds back between its peaks, too", func(t *testing.T) {
		t.Parallel()
		set := unlessDown(nil)
		set[1].Flapping = nil
		r := newRig(t, set, nil)
		s := 0.0
		for ; s < 90; s += 15 {
			r.round(s, 10, float64(int(s/15+1)%2))
		}
		assert.Empty(t, r.round(90, 90, 0), "latched, and at rest for now")
	})
	t.Run("of a severity", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, unlessDown(func(f *rules.ReferenceConfig) { f.Severity = "critical" }), nil)
		assert.Equal(t, []string{"down fire warning"}, r.round(0, 10, 1))
		assert.Equal(t, []string{"load fire warning"}, r.round(15, 90, 1))
	})
	t.Run("an attribute that one of them lacks is not equal", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, unlessDown(func(f *rules.ReferenceConfig) { f.Equal = []string{"rack"} }), nil)
		assert.Equal(t, []string{"down fire warning"}, r.round(0, 10, 1))
		assert.Equal(t, []string{"load fire warning"}, r.round(15, 90, 1))
	})
	t.Run("without equal any alert of the other will do", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, unlessDown(func(f *rules.ReferenceConfig) { f.Equal = nil }), nil)
		r.origin.Resource = []attr.Attr{attr.String("host.name", "other")}
		r.on("d", 0, point{s: 0, v: 1})
		r.drain()
		r.origin = attr.Origin{Resource: []attr.Attr{attr.String("host.name", "db1")}}
		r.observe(15, point{s: 15, v: 90})
		assert.Empty(t, r.said())
	})
	t.Run("only those of the same host", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, unlessDown(nil), nil)
		r.origin.Resource = []attr.Attr{attr.String("host.name", "other")}
		r.on("d", 0, point{s: 0, v: 1})
		r.drain()
		r.origin = attr.Origin{Resource: []attr.Attr{attr.String("host.name", "db1")}}
		r.observe(15, point{s: 15, v: 90})
		assert.Equal(t, []string{"fire warning threshold"}, r.said())
	})
	t.Run("survives a restart", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, unlessDown(nil), nil)
		assert.Equal(t, []string{"down fire warning"}, r.round(0, 10, 1))
		assert.Empty(t, r.round(15, 90, 1))
		s := store{}
		r.restartFrom(s, 20, 60)
		r.engine.Evaluate(at(60))
		assert.Empty(t, r.said(), "still held back")
		assert.Empty(t, r.round(75, 90, 1))
		r.restartFrom(s, 80, 90)
		assert.Equal(t, []string{"down resolve warning", "load fire warning"}, r.round(105, 90, 0))
	})
	t.Run("the host sends nothing while it is down: what was announced does not end as stale", func(t *testing.T) {
		t.Parallel()
		silent := dependent(func(rc *rules.RuleConfig) {
			rc.Unless = &rules.ReferenceConfig{Rule: "gone", Equal: []string{"host.name"}}
		})
		silent[1] = rules.RuleConfig{
			Name: "gone", Metric: "d", GroupBy: []string{"resource.host.name"}, Severity: "critical", Absent: &rules.AbsentConfig{For: 2 * time.Minute},
		}
		r := newRig(t, silent, nil)
		assert.Equal(t, []string{"load fire warning"}, r.round(0, 90, 0))
		for s := 15.0; s < 7200; s += 15 {
			r.engine.Evaluate(at(s))
		}
		assert.Equal(t, []string{"fire critical absent"}, r.said())
		r.on("d", 7200, point{s: 7200, v: 0})
		r.engine.Evaluate(at(7200))
		assert.Equal(t, []string{"resolve critical absent", "no_data warning no_data"}, r.said(), "d is back before m")
		assert.Equal(t, []string{"load data_back warning"}, r.round(7215, 90, 0))
		assert.Equal(t, []string{"load resolve warning"}, r.round(7230, 9, 0))
	})
}

func TestAnd(t *testing.T) {
	t.Parallel()
	t.Run("fires only while the other does, and begins when that does", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, besideDown(func(rc *rules.RuleConfig) { rc.For = new(30 * time.Second) }), nil)
		assert.Empty(t, r.round(0, 90, 0))
		assert.Equal(t, []string{"down fire warning"}, r.round(15, 90, 1))
		assert.Empty(t, r.round(30, 90, 1))
		assert.Equal(t, []string{"load fire warning"}, r.round(45, 90, 1))
		assert.Equal(t, []string{"load resolve warning", "down resolve warning"}, r.round(60, 90, 0))
	})
	t.Run("says why it resolved", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, besideDown(nil), nil)
		r.round(0, 90, 1)
		r.together(15, 90, 0)
		events := r.drain()
		require.Len(t, events, 2)
		assert.Equal(t, alertschema.ReasonOnlyIf, events[0].Reason)
		assert.Equal(t, "resolved, down does not fire: load on db1: m is 90 (> 80) (was firing for 15s, worst: warning)", events[0].Body)
	})
	t.Run("is looked at when the other changes, though no sample of its own comes", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, besideDown(nil), nil)
		r.observe(0, point{s: 0, v: 90})
		r.observe(10, point{s: 10, v: 90})
		r.on("d", 11, point{s: 11, v: 1})
		r.engine.Evaluate(at(12))
		assert.Equal(t, []string{"fire warning threshold", "fire warning threshold"}, r.said())
	})
	t.Run("has nothing to fire beside, though its values have stopped", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, besideDown(nil), nil)
		assert.Len(t, r.round(0, 90, 1), 2)
		for s := 15.0; s <= 330; s += 15 {
			r.on("d", s, point{s: s, v: 1})
			r.engine.Evaluate(at(s))
		}
		assert.Equal(t, []string{"no_data warning no_data"}, r.said())
		r.on("d", 345, point{s: 345, v: 0})
		r.engine.Evaluate(at(345))
		assert.Equal(t, []string{"resolve warning threshold", "resolve warning only_if"}, r.said())
	})
	t.Run("survives a restart", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, besideDown(nil), nil)
		assert.Len(t, r.round(0, 90, 1), 2)
		r.restartFrom(store{}, 5, 60)
		r.observe(75, point{s: 75, v: 90}) // Before the first sample of the other.
		r.engine.Evaluate(at(75))
		assert.Empty(t, r.said())
		assert.Empty(t, r.round(90, 90, 1))
		assert.Len(t, r.round(105, 90, 0), 2)
	})
	t.Run("a chain, however it is written", func(t *testing.T) {
		t.Parallel()
		link := func(name, metric, other string) rules.RuleConfig {
			rc := rules.RuleConfig{Name: name, Metric: metric, Thresholds: map[string]rules.LevelConfig{"warning": {Above: 0}}}
			if other != "" {
				rc.And = &rules.ReferenceConfig{Rule: other}
			}
			return rc
		}
		r := newRig(t, []rules.RuleConfig{link("a", "m", "b"), link("b", "m", "c"), link("c", "m", "")}, nil)
		r.observe(0, point{s: 0, v: 1})
		assert.Len(t, r.drain(), 3, "in one round")
		r.observe(15, point{s: 15, v: 0})
		assert.Len(t, r.drain(), 3)
	})
}

// Whatever happens, in whatever order rules are written: records of the inhibited rule are what a model of three lines says, and no resolve comes
// without a fire.
func TestUnlessAgainstAModel(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(5, 6))
	for n := range 200 {
		set := unlessDown(nil)
		set[0].Thresholds = map[string]rules.LevelConfig{"warning": {Above: 80}}
		set[1].Thresholds = map[string]rules.LevelConfig{"warning": {Above: 0}}
		if n%2 == 0 {
			slices.Reverse(set)
		}
		r := newRig(t, set, nil)
		r.metric = "m"
		s, told := store{}, false
		for at := 0.0; at < 900; at += 15 {
			v, d := float64(rng.IntN(2)*100), float64(rng.IntN(4)/3)
			var expected []string
			switch {
			case v == 0 && told:
				told, expected = false, []string{"resolve"}
			case v > 0 && !told && d == 0:
				told, expected = true, []string{"fire"}
			}
			r.together(at, v, d)
			var got []string
			for _, ev := range r.drain() {
				if ev.Rule == "load" {
					got = append(got, ev.Transition.String())
				}
			}
			require.Equal(t, expected, got, "case %d at %v", n, at)
			if rng.IntN(10) == 0 {
				r.restartFrom(s, at+1, at+2)
			}
		}
	}
}
