package alert

import (
	"fmt"
	"maps"
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

// hostsRule expects hosts from a list.
func hostsRule(hosts ...any) []rules.RuleConfig {
	return []rules.RuleConfig{{
		Name: "gone", Metric: "up", GroupBy: []string{"resource.host.name"}, Severity: "critical",
		Absent: &rules.AbsentConfig{For: 2 * time.Minute, Expected: hosts, StartGrace: new(time.Minute)},
	}}
}

// fromHost has the host send one point.
func (r *rig) fromHost(s float64, host string) {
	r.origin = attr.Origin{Resource: []attr.Attr{attr.String("host.name", host)}}
	r.observe(s, point{s: s, v: 1})
}

// drainBodies drains and returns what the records say.
func (r *rig) drainBodies() []string {
	var out []string
	for _, ev := range r.drain() {
		out = append(out, ev.Body)
	}
	return out
}

func TestExpectedHostsThatNeverCame(t *testing.T) {
	t.Parallel()
	r := newRig(t, hostsRule("db1", "db2", "db3"), nil)
	tick := func(from, to float64) {
		for s := from; s <= to; s += 15 {
			r.engine.Evaluate(at(s))
		}
	}
	r.fromHost(0, "db1")
	r.fromHost(0, "other")
	tick(0, 90)
	r.fromHost(90, "db1")
	r.fromHost(90, "other")
	tick(105, 120)
	assert.ElementsMatch(t, []string{"gone db2: no up has ever come", "gone db3: no up has ever come"}, r.drainBodies(), "2m is longer than the grace")
	r.fromHost(125, "db3")
	r.fromHost(125, "db1")
	tick(130, 205)
	assert.Equal(t, []string{"resolved: gone db3: up is there again (was firing for 5s)"}, r.drainBodies())
	tick(210, 240)
	assert.Equal(t, []string{"gone other: no up for 2m"}, r.drainBodies(), "what was seen is missed, listed or not")
	assert.Len(t, r.engine.Active(), 2)
}

// TestExpectedHostsOverReloads reloads random lists at random times, with hosts that come and go. A host that is in the list, was never
// seen for long enough and is not seen now fires; one that is taken off the list does not, whatever it was.
func TestExpectedHostsOverReloads(t *testing.T) {
	t.Parallel()
	for seed := range uint64(40) {
		rnd := rand.New(rand.NewPCG(seed, 3))
		all := []string{"a", "b", "c", "d", "e"}
		byID := map[string]string{}
		for _, h := range all {
			key := attr.EncodeGroup([]attr.Located{{Location: attr.InResource, Attr: attr.String("host.name", h)}})
			byID[alertschema.IDText(alertschema.AlertID("gone", key))] = h
		}
		listed := map[string]bool{}
		pick := func() []any {
			clear(listed)
			var out []any
			for _, h := range all {
				if rnd.IntN(3) > 0 || len(out) == 0 && h == "e" {
					listed[h] = true
					out = append(out, h)
				}
			}
			return out
		}
		r := newRig(t, hostsRule(pick()...), nil)
		sends := map[string]bool{}
		firing := map[string]bool{}
		state := store{}
		started := 0.0
		since := map[string]float64{} // Of silence.
		for s := 0.0; s < 7200; s += 15 {
			if rnd.IntN(40) == 0 {
				before := maps.Clone(listed)
				r.cfg.Rules = hostsRule(pick()...)
				r.restartFrom(state, s-1, s)
				started = s
				for h := range before {
					if !listed[h] {
						delete(since, h) // No longer missed, unless it comes again.
					}
				}
			}
			if rnd.IntN(20) == 0 {
				h := all[rnd.IntN(len(all))]
				sends[h] = !sends[h]
			}
			for _, h := range all {
				if sends[h] {
					r.fromHost(s, h)
					since[h] = s
				}
			}
			r.engine.Evaluate(at(s))
			for _, ev := range r.drain() {
				host := byID[ev.AlertID]
				switch ev.Transition {
				case alertschema.TransitionFire:
					require.False(t, firing[host], "seed %d", seed)
					firing[host] = true
				case alertschema.TransitionResolve:
					require.True(t, firing[host], "seed %d", seed)
					delete(firing, host)
				}
			}
			for h := range firing {
				assert.False(t, sends[h], "seed %d at %v: %s is there", seed, s, h)
				_, seen := since[h]
				assert.True(t, listed[h] || seen, "seed %d at %v: %s is not expected", seed, s, h)
			}
			for h := range listed {
				quiet := s-started >= 600 && !sends[h] && s-since[h] >= 600
				assert.False(t, quiet && !firing[h], "seed %d at %v: %s is missing, sent %v", seed, s, h, since)
			}
		}
	}
}

// Taking a host off the list closes what it has fired; that is said, and with its group.
func TestAHostTakenOffTheList(t *testing.T) {
	t.Parallel()
	r := newRig(t, hostsRule("db1", "db2"), nil)
	for s := 0.0; s <= 150; s += 15 {
		r.engine.Evaluate(at(s))
	}
	require.Len(t, r.drain(), 2)
	r.cfg.Rules = hostsRule("db2")
	r.restartFrom(store{}, 151, 152)
	events := r.drain()
	require.Len(t, events, 1)
	assert.Equal(t, alertschema.TransitionResolve, events[0].Transition)
	assert.Equal(t, alertschema.ReasonRuleChanged, events[0].Reason)
	r.engine.Evaluate(at(1000))
	assert.Empty(t, r.drain(), "db2 fires on, and is not announced again")
	assert.Len(t, r.engine.Active(), 1)
}

func TestExpectedBySeveralAttributes(t *testing.T) {
	t.Parallel()
	cfg := hostsRule(map[string]any{"resource.host.name": "db1", "mountpoint": "/"})
	cfg[0].GroupBy = []string{"resource.host.name", "mountpoint"}
	r := newRig(t, cfg, nil)
	r.origin = attr.Origin{Resource: []attr.Attr{attr.String("host.name", "db1")}}
	r.observe(0, point{s: 0, v: 1, attrs: disk("/home")})
	for s := 15.0; s <= 120; s += 15 {
		r.observe(s, point{s: s, v: 1, attrs: disk("/home")})
		r.engine.Evaluate(at(s))
	}
	assert.Equal(t, []string{"gone /, db1: no up has ever come"}, r.drainBodies())
}

func TestExpectedIsChecked(t *testing.T) {
	t.Parallel()
	for want, edit := range map[string]func(*rules.RuleConfig){
		"absent.expected needs group_by":                      func(rc *rules.RuleConfig) { rc.GroupBy = nil },
		"absent.expected needs group_by with the":             func(rc *rules.RuleConfig) { rc.GroupBy = []string{"resource"} },
		`absent.expected[1]: host.name is empty`:              func(rc *rules.RuleConfig) { rc.Absent.Expected = []any{"a", ""} },
		"absent.expected[0]: host.name: 1.5 is neither text":  func(rc *rules.RuleConfig) { rc.Absent.Expected = []any{1.5} },
		"absent.expected[0]: a: expected a map":               func(rc *rules.RuleConfig) { rc.GroupBy = []string{"x", "y"} },
		"absent.expected lists 11 groups, and limits::series": func(rc *rules.RuleConfig) { rc.Absent.Expected = slices.Repeat([]any{"a"}, 11) },
		"absent.expected_file lists values of one attribute": func(rc *rules.RuleConfig) {
			rc.GroupBy, rc.Absent.Expected, rc.Absent.ExpectedFile = []string{"x", "y"}, nil, "f"
		},
		"expected the values of [resource.host.name] and no others": func(rc *rules.RuleConfig) {
			rc.Absent.Expected = []any{map[string]any{"host.name": "db1"}}
		},
	} {
		cfg := rules.DefaultConfig()
		cfg.Limits.Series = 10
		cfg.Rules = hostsRule("a")
		edit(&cfg.Rules[0])
		_, err := rules.Compile(cfg)
		assert.ErrorContains(t, err, want)
	}
}

// The list is no part of the rule's selection: with another list the rule is the same, and its alerts go on.
func TestTheListIsNotTheSelection(t *testing.T) {
	t.Parallel()
	selection := map[string]bool{}
	for _, hosts := range [][]any{{"a"}, {"a", "b"}, nil} {
		cfg := rules.DefaultConfig()
		cfg.Rules = hostsRule(hosts...)
		cfg.Rules[0].Absent.StartGrace = nil
		set, err := rules.Compile(cfg)
		require.NoError(t, err)
		selection[set.Rules[0].Selection] = true
	}
	assert.Len(t, selection, 1, fmt.Sprint(slices.Collect(maps.Keys(selection))))
}
