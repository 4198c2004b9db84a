package alert

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/event"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// believer is a receiver that believes records and nothing else.
type believer struct {
	t      *testing.T
	active map[string]event.Event // By alert ID: the fire, with the severity and the state of the newest record.
}

func (b *believer) hear(events []event.Event) {
	b.t.Helper()
	for _, ev := range events {
		if ev.Kind != alertschema.KindStateChange {
			continue
		}
		fire, known := b.active[ev.AlertID]
		if ev.Transition == alertschema.TransitionFire {
			require.False(b.t, known, "a second fire: %s", ev.Body)
			b.active[ev.AlertID] = ev
			checkWhole(b.t, &ev, &ev)
			continue
		}
		require.True(b.t, known, "%s of what was never announced: %s", ev.Transition, ev.Body)
		require.Equal(b.t, fire.EpisodeID, ev.EpisodeID, ev.Body)
		require.Equal(b.t, fire.Severity, ev.PreviousSeverity, "%s: %s", ev.Transition, ev.Body)
		require.Equal(b.t, fire.State, ev.Previous, "%s: %s", ev.Transition, ev.Body)
		checkWhole(b.t, &fire, &ev)
		if ev.Transition == alertschema.TransitionResolve { // The end of flapping may say resolved, too: the resolve follows.
			delete(b.active, ev.AlertID)
			continue
		}
		fire.Severity, fire.State = ev.Severity, ev.State
		b.active[ev.AlertID] = fire
	}
}

// checkWhole checks that a record has all that the fire of its episode had.
func checkWhole(t *testing.T, fire, ev *event.Event) {
	t.Helper()
	keys := func(labels []attr.Label) (out []string) {
		for _, l := range labels {
			out = append(out, l.Key)
		}
		return out
	}
	what := fmt.Sprintf("%s %s: %s", ev.Transition, ev.Reason, ev.Body)
	require.Equal(t, fire.Group, ev.Group, what)
	require.Equal(t, fire.Identity, ev.Identity, what)
	require.Equal(t, fire.Resource, ev.Resource, what)
	require.NotEmpty(t, ev.Resource, what)
	require.Equal(t, []string{"team"}, keys(ev.Labels), what)
	require.Equal(t, []string{"runbook"}, keys(ev.Annotations), what)
	for _, text := range []string{ev.RuleDescription, ev.Metric, ev.Unit, ev.Comparison, ev.Severity, ev.RuleVersion, ev.Rule, ev.Body, ev.SeverityText} {
		require.NotEmpty(t, text, what)
	}
	if ev.Comparison != "absent" { // Silence is compared with nothing.
		require.True(t, ev.Threshold.Valid, what)
	}
	require.Equal(t, fire.StartedAt, ev.StartedAt, what)
}

// believes compares what the receiver believes with what the rules know: of every alert that it takes for active there is a rule, with a level of
// that name, and an alert that counts as announced there.
func (b *believer) compare(e *Engine) {
	b.t.Helper()
	announced := map[string]string{}
	for _, g := range e.alerts {
		if g.alert.announced > 0 {
			announced[alertschema.IDText(g.recordID())] = g.rule.LevelName(g.alert.announced) + " " + g.alert.announcedState.String()
		}
	}
	believed := map[string]string{}
	for id, ev := range b.active {
		believed[id] = ev.Severity + " " + ev.State.String()
	}
	require.Equal(b.t, announced, believed)
}

// reloadings are what an operator may change of a rule while it fires.
var reloadings = map[string]func(*rand.Rand, *rules.RuleConfig){
	"nothing": func(*rand.Rand, *rules.RuleConfig) {},
	"a threshold": func(r *rand.Rand, rc *rules.RuleConfig) {
		rc.Thresholds["warning"] = rules.LevelConfig{Above: float64(50 + r.IntN(40))}
		delete(rc.Thresholds, "info")
	},
	"a level less": func(_ *rand.Rand, rc *rules.RuleConfig) {
		if len(rc.Thresholds) > 1 {
			delete(rc.Thresholds, "warning")
		}
	},
	"the worst level less": func(_ *rand.Rand, rc *rules.RuleConfig) {
		if len(rc.Thresholds) > 1 {
			delete(rc.Thresholds, "critical")
		}
	},
	"a level more": func(_ *rand.Rand, rc *rules.RuleConfig) { rc.Thresholds["critical"] = rules.LevelConfig{Above: 95.0} },
	"a lesser level": func(_ *rand.Rand, rc *rules.RuleConfig) {
		rc.Thresholds["info"] = rules.LevelConfig{Above: 40.0}
	},
	"another name of a level": func(_ *rand.Rand, rc *rules.RuleConfig) {
		if l, ok := rc.Thresholds["warning"]; ok {
			rc.Thresholds["info"] = l
			delete(rc.Thresholds, "warning")
		}
	},
	"its name": func(r *rand.Rand, rc *rules.RuleConfig) { rc.Name = fmt.Sprintf("rule%d", r.IntN(3)) },
	"more series": func(_ *rand.Rand, rc *rules.RuleConfig) {
		rc.Match = nil
	},
	"fewer series": func(_ *rand.Rand, rc *rules.RuleConfig) {
		rc.Match = map[string]any{"mountpoint": map[string]any{"in": []any{"/a", "/b"}}}
	},
	"other groups": func(_ *rand.Rand, rc *rules.RuleConfig) { rc.GroupBy = []string{"resource.host.name"} },
	"the groups of before": func(_ *rand.Rand, rc *rules.RuleConfig) {
		rc.GroupBy = []string{"mountpoint", "resource.host.name"}
	},
	"no groups": func(_ *rand.Rand, rc *rules.RuleConfig) { rc.GroupBy = nil },
	"a window":  func(_ *rand.Rand, rc *rules.RuleConfig) { rc.Window, rc.Aggregate = 30*time.Second, "max" },
	"no window": func(_ *rand.Rand, rc *rules.RuleConfig) { rc.Window, rc.Aggregate = 0, "" },
	"texts": func(r *rand.Rand, rc *rules.RuleConfig) {
		rc.Labels = map[string]string{"team": fmt.Sprint("t", r.IntN(3))}
	},
	"flapping": func(_ *rand.Rand, rc *rules.RuleConfig) {
		rc.Flapping = &rules.FlappingConfig{Enabled: new(true), Transitions: 3}
	},
	"no flapping": func(_ *rand.Rand, rc *rules.RuleConfig) { rc.Flapping = &rules.FlappingConfig{Enabled: new(false)} },
	"no data": func(_ *rand.Rand, rc *rules.RuleConfig) {
		rc.NoData = &rules.NoDataConfig{After: time.Minute, Action: "close"}
	},
}

// reloadAbsent changes a rule about silence.
func reloadAbsent(r *rand.Rand, rc *rules.RuleConfig) {
	switch r.IntN(8) {
	case 0:
		rc.Name = fmt.Sprintf("gone%d", r.IntN(3))
	case 1:
		rc.Match = map[string]any{"mountpoint": map[string]any{"in": []any{"/a", "/b"}}}
	case 2:
		rc.Match = nil
	case 3:
		rc.Severity = []string{"info", "warning", "critical"}[r.IntN(3)]
	case 4:
		rc.GroupBy = []string{"resource.host.name"}
	case 5:
		rc.GroupBy = []string{"mountpoint", "resource.host.name"}
	}
}

// TestReceiversBelieveWhatIs lets rules change at random while they fire, and compares after each step what a receiver of the records believes.
func TestReceiversBelieveWhatIs(t *testing.T) {
	t.Parallel()
	names := make([]string, 0, len(reloadings))
	for name := range reloadings {
		names = append(names, name)
	}
	for seed := range uint64(150) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(7, seed))
			texts := func(rc *rules.RuleConfig) {
				rc.Description, rc.Labels, rc.Annotations = "d", map[string]string{"team": "sre"}, map[string]string{"runbook": "{{ .Value }}"}
				rc.GroupBy = []string{"mountpoint", "resource.host.name"}
			}
			absent := rules.RuleConfig{Name: "gone", Metric: "m", Severity: "warning", Absent: &rules.AbsentConfig{For: 40 * time.Second}}
			texts(&absent)
			r := newRig(t, append(ladderRule(texts), absent), nil)
			b := &believer{t, map[string]event.Event{}}
			s := store{}
			now := 0.0
			for range 60 {
				now += 15
				if random.IntN(4) == 0 {
					name := names[random.IntN(len(names))]
					rc := &r.cfg.Rules[0]
					rc.Thresholds = maps.Clone(rc.Thresholds)
					reloadings[name](random, rc)
					reloadAbsent(random, &r.cfg.Rules[1])
					if _, err := rules.Compile(r.cfg); err != nil {
						t.Fatalf("%s: %v", name, err)
					}
					t.Logf("%v: reload of %s: %v", now, name, rc.Thresholds)
					r.restartFrom(s, now, now+1)
					b.hear(r.drain())
					b.compare(r.engine)
					now += 2
				}
				var points []point
				for _, name := range []string{"/a", "/b", "/c"} {
					if random.IntN(8) > 0 {
						points = append(points, point{s: now, v: []float64{10, 45, 70, 85, 99}[random.IntN(5)], attrs: disk(name)})
					}
				}
				r.observe(now, points...)
				r.engine.Evaluate(at(now))
				b.hear(r.drain())
				b.compare(r.engine)
			}
			// And in the end there is nothing that goes on for ever.
			delete(r.cfg.Rules[0].Labels, "none")
			r.cfg.Rules = ladderRule(func(rc *rules.RuleConfig) { rc.Name = "none" })
			r.restartFrom(s, now, now+1)
			b.hear(r.drain())
			assert.Empty(t, b.active)
		})
	}
}
