package alert

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
)

// reload edits the rules and goes on with what was stored a second before.
func (r *rig) reload(s float64, edit func(rc *rules.RuleConfig)) {
	r.t.Helper()
	edit(&r.cfg.Rules[0])
	r.restartFrom(store{}, s-1, s)
}

// A firing level that is edited to count samples has not seen them: it lets go only when it has seen enough that are clear.
func TestForSamplesByReload(t *testing.T) {
	t.Parallel()
	counts := func(breached, of int) *rules.ForSamplesConfig {
		return &rules.ForSamplesConfig{Breached: breached, Of: of}
	}
	level := func(above float64, c *rules.ForSamplesConfig) rules.LevelConfig {
		return rules.LevelConfig{Above: above, ForSamples: c}
	}
	type levels = map[string]rules.LevelConfig
	cases := map[string]struct {
		before, after levels
		value         float64
		samples       int      // That make it fire.
		clear         int      // How many clear samples are silent.
		then          []string // What the next one says.
	}{
		"added":                   {levels{"warning": level(80, nil)}, levels{"warning": level(80, counts(3, 5))}, 90, 1, 2, []string{"resolve"}},
		"added, all of them":      {levels{"warning": level(80, nil)}, levels{"warning": level(80, counts(5, 5))}, 90, 1, 0, []string{"resolve"}},
		"more":                    {levels{"warning": level(80, counts(3, 5))}, levels{"warning": level(80, counts(8, 10))}, 90, 3, 2, []string{"resolve"}},
		"as many of fewer":        {levels{"warning": level(80, counts(3, 5))}, levels{"warning": level(80, counts(3, 3))}, 90, 3, 0, []string{"resolve"}},
		"the most there can be":   {levels{"warning": level(80, nil)}, levels{"warning": level(80, counts(60, 64))}, 90, 1, 4, []string{"resolve"}},
		"moved down":              {levels{"warning": level(80, nil), "critical": level(95, counts(3, 5))}, levels{"warning": level(80, counts(3, 5)), "critical": level(95, nil)}, 99, 3, 0, []string{"deescalate:warning"}},
		"moved up":                {levels{"warning": level(80, counts(3, 5)), "critical": level(95, nil)}, levels{"warning": level(80, nil), "critical": level(95, counts(3, 5))}, 99, 3, 2, []string{"resolve"}},
		"added to both":           {levels{"warning": level(80, nil), "critical": level(95, nil)}, levels{"warning": level(80, counts(4, 5)), "critical": level(95, counts(4, 5))}, 99, 1, 1, []string{"resolve"}},
		"of the level in force":   {levels{"warning": level(80, nil), "critical": level(95, nil)}, levels{"warning": level(80, counts(3, 5)), "critical": level(95, nil)}, 90, 1, 2, []string{"resolve"}},
		"of a level not in force": {levels{"warning": level(80, nil), "critical": level(95, nil)}, levels{"warning": level(80, nil), "critical": level(95, counts(1, 5))}, 90, 1, 0, []string{"resolve"}},
	}
	for name, c := range cases {
		for _, first := range []string{"held", "clear"} {
			t.Run(name+", "+first+" at first", func(t *testing.T) {
				t.Parallel()
				r := newRig(t, []rules.RuleConfig{{Name: "busy", Metric: "m", Thresholds: c.before}}, nil)
				s := 0.0
				next := func(v float64) []string {
					s += 15
					r.step(s, v)
					return r.transitions()
				}
				var said []string
				for range c.samples {
					said = append(said, next(c.value)...)
				}
				require.NotEmpty(t, said)
				s += 2
				r.reload(s, func(rc *rules.RuleConfig) { rc.Thresholds = c.after })
				assert.Empty(t, r.transitions(), "at the reload")
				if first == "held" {
					for range 3 {
						assert.Empty(t, next(c.value))
					}
				}
				for range c.clear {
					assert.Empty(t, next(10))
				}
				assert.Equal(t, c.then, next(10))
			})
		}
	}
}

// A group whose level is turned off is told so at the reload, like one whose level is removed from all groups.
func TestThresholdsByOffByReload(t *testing.T) {
	t.Parallel()
	off := func(thresholds any) func(*rules.RuleConfig) {
		return func(rc *rules.RuleConfig) {
			rc.ThresholdsBy = &rules.ThresholdsByConfig{Attribute: "mountpoint", Groups: []rules.GroupThresholdsConfig{{Match: "/a", Thresholds: thresholds}}}
		}
	}
	ofHost := func(rc *rules.RuleConfig) {
		off("off")(rc)
		rc.ThresholdsBy.Attribute, rc.ThresholdsBy.Groups[0].Match = "resource.host.name", "db1"
	}
	cases := map[string]struct {
		value float64
		edit  func(*rules.RuleConfig)
		want  []string
		body  string
	}{
		"all":                           {99, off("off"), []string{"resolve critical rule_changed"}, "resolved: load /a on db1 (the rule was changed; was firing for 2s)"},
		"all of a host":                 {99, ofHost, []string{"resolve critical rule_changed"}, "resolved: load /a on db1 (the rule was changed; was firing for 2s)"},
		"the announced one":             {99, off(map[string]any{"critical": "off"}), []string{"deescalate warning rule_changed"}, "load /a on db1: m is 99 (> 80)"},
		"the announced one, others too": {99, off(map[string]any{"critical": "off", "warning": 85}), []string{"deescalate warning rule_changed"}, "load /a on db1: m is 99 (> 85)"},
		"no other is breached":          {90, off(map[string]any{"warning": "off"}), []string{"resolve warning rule_changed"}, "resolved: load /a on db1 (the rule was changed; was firing for 2s)"},
		"one below":                     {99, off(map[string]any{"warning": "off"}), nil, ""},
		"one above":                     {90, off(map[string]any{"critical": "off"}), nil, ""},
	}
	for name, c := range cases {
		for _, tabled := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				r := newRig(t, ladderRule(nil), nil)
				if tabled { // The table was there before.
					off(map[string]any{"warning": 81})(&r.cfg.Rules[0])
					r.restart(0)
				}
				step := func(s float64) {
					r.observe(s, point{s: s, v: c.value, attrs: disk("/a")})
					r.engine.Evaluate(at(s))
				}
				step(0)
				require.Len(t, r.drain(), 1)
				r.reload(2, c.edit)
				var said []string
				for _, ev := range r.drain() {
					said = append(said, ev.Transition.String()+" "+ev.Severity+" "+ev.Reason.String())
					assert.Equal(t, c.body, ev.Body)
				}
				assert.Equal(t, c.want, said)
				step(15)
				step(30)
				assert.Empty(t, r.said(), "afterwards")
			})
		}
	}
}

// Records of a renamed rule about silence have the resource and the labels that those of the old name had.
func TestRenamedAbsentRuleKeepsItsResource(t *testing.T) {
	t.Parallel()
	for _, fires := range []bool{false, true} {
		r := newRig(t, []rules.RuleConfig{{
			Name: "gone", Metric: "m", Severity: "critical", Absent: &rules.AbsentConfig{For: time.Minute},
			Labels: map[string]string{"host": `{{.Resource "host.name"}}`},
		}}, nil)
		r.step(0, 1)
		s := 45.0
		if fires {
			s = 61
		}
		r.engine.Evaluate(at(s))
		r.drain()
		r.reload(s+2, func(rc *rules.RuleConfig) { rc.Name = "lost" })
		r.drain()
		r.reload(s+4, func(rc *rules.RuleConfig) { rc.Name = "missing" })
		r.engine.Evaluate(at(90))
		events := r.drain()
		require.Len(t, events, 1)
		assert.Equal(t, r.origin.Resource, events[0].Resource)
		assert.Equal(t, []attr.Label{{Key: "host", Text: "db1"}}, events[0].Labels)
		assert.Equal(t, "missing", events[0].Rule)
	}
}

// Alerts that end with their rule are distinguished by their bodies.
func TestBodiesOfAlertsWithoutARule(t *testing.T) {
	t.Parallel()
	process := []attr.Attr{
		attr.String("host.name", "db1"), attr.String("process.executable.name", "java"), attr.String("process.pid", "7"),
	}
	cases := map[string]struct {
		metric  string
		groupBy []string
		want    string
	}{
		"by series":         {"m", nil, "load /a on db1"},
		"of a process":      {"process.m", nil, "load /a java (pid 7) on db1"},
		"by resource":       {"m", []string{"resource"}, "load on db1"},
		"by an attribute":   {"m", []string{"mountpoint"}, "load /a"},
		"by two":            {"m", []string{"mountpoint", "resource.host.name"}, "load /a, db1"},
		"by host":           {"m", []string{"resource.host.name"}, "load db1"},
		"all are one group": {"m", []string{}, "load"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for reason, edit := range map[string]func(*rules.RuleConfig){
				"removed": func(rc *rules.RuleConfig) { rc.Name = "other" },
				"changed": func(rc *rules.RuleConfig) { rc.Match = map[string]any{"other": "x"} },
			} {
				r := newRig(t, ladderRule(func(rc *rules.RuleConfig) { rc.Metric, rc.GroupBy = c.metric, c.groupBy }), nil)
				r.origin.Resource = process
				r.observe(0, point{s: 0, v: 99, attrs: disk("/a")})
				r.engine.Evaluate(at(0))
				fire := r.drain()
				require.Len(t, fire, 1)
				assert.Contains(t, fire[0].Body, c.want+":")
				r.reload(8, edit)
				events := r.drain()
				require.Len(t, events, 1)
				assert.Equal(t, "resolved: "+c.want+" (the rule was "+reason+"; was firing for 8s)", events[0].Body)
			}
		})
	}
}

// The worst level of an episode is said by its name, also where the ladder has, or had meanwhile, none of it.
func TestWorstLevelAfterRenames(t *testing.T) {
	t.Parallel()
	ladder := func(top string) func(*rules.RuleConfig) {
		return func(rc *rules.RuleConfig) {
			rc.Thresholds = map[string]rules.LevelConfig{"warning": {Above: 80}, top: {Above: 95}}
		}
	}
	cases := map[string]struct {
		lowered bool // The value falls to warning before the reloads.
		names   []string
		between float64 // A value between the reloads, 0 for none.
		want    string
	}{
		"renamed and back":            {false, []string{"page", "critical"}, 0, "worst: critical)"},
		"renamed and back, a warning": {true, []string{"page", "critical"}, 0, "worst: critical)"},
		"renamed":                     {false, []string{"page"}, 0, "worst: page)"},
		"renamed, a warning":          {true, []string{"page"}, 0, "worst: critical)"},
		"renamed, reached and back":   {true, []string{"page", "critical"}, 99, "worst: page)"},
		"renamed twice, a warning":    {true, []string{"page", "paging"}, 0, "worst: critical)"},
		"a milder name":               {false, []string{"bad"}, 0, "worst: critical)"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, ladderRule(nil), func(cfg *rules.Config) {
				cfg.Severities = map[string]any{"warning": 13, "bad": 14, "critical": 21, "page": 23, "paging": 24}
			})
			r.step(0, 99)
			if c.lowered {
				r.step(15, 90)
			}
			s := 20.0
			for _, top := range c.names {
				r.reload(s, ladder(top))
				if c.between > 0 {
					r.step(s+1, c.between)
					r.step(s+2, 90)
					c.between = 0
				}
				s += 10
			}
			r.drain()
			r.step(s, 10)
			events := r.drain()
			require.Len(t, events, 1)
			assert.Contains(t, events[0].Body, c.want)
		})
	}
}
