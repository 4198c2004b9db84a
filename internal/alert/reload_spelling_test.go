package alert

import (
	"maps"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// A rule that is written in another way is the same rule: what fires goes on, and nothing is said.
func TestAnotherSpellingSaysNothing(t *testing.T) {
	t.Parallel()
	base := func(rc *rules.RuleConfig) {
		rc.GroupBy = []string{"a", "b", "resource.host.name"}
		rc.Match = map[string]any{"a": map[string]any{"in": []any{"x", "1"}}, "b": "7", "resource": map[string]any{"host.name": "db1"}}
		rc.For = new(time.Minute)
	}
	for name, edit := range map[string]func(*rules.RuleConfig){
		"order of group_by": func(rc *rules.RuleConfig) { rc.GroupBy = []string{"resource.host.name", "b", "a"} },
		"order and type in a list": func(rc *rules.RuleConfig) {
			rc.Match["a"] = map[string]any{"in": []any{1, "x", "x"}}
		},
		"quotes":           func(rc *rules.RuleConfig) { rc.Match["b"] = 7 },
		"an empty map":     func(rc *rules.RuleConfig) { rc.Match["scope"] = map[string]any{} },
		"numbers as text":  func(rc *rules.RuleConfig) { rc.Thresholds["warning"] = rules.LevelConfig{Above: "8e1"} },
		"written defaults": func(rc *rules.RuleConfig) { rc.Scale, rc.Lookback, rc.Hysteresis = new(1.0), "auto", new(0.0) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, ladderRule(base), nil)
			attrs := []attr.Attr{attr.String("a", "x"), attr.Int("b", 7)}
			for s := 0.0; s <= 60; s += 15 {
				r.observe(s, point{s: s, v: 90, attrs: attrs})
			}
			assert.Equal(t, []string{"fire:warning"}, r.transitions())
			edit(&r.cfg.Rules[0])
			r.restartFrom(store{}, 61, 62)
			r.observe(75, point{s: 75, v: 90, attrs: attrs})
			r.engine.Evaluate(at(75))
			assert.Empty(t, r.transitions())
			r.observe(90, point{s: 90, v: 10, attrs: attrs})
			r.observe(105, point{s: 105, v: 10, attrs: attrs}) // By now another series of the group would have come.
			assert.Equal(t, []string{"resolve"}, r.transitions())
		})
	}
}

// respelled returns a test that the text passes, in one of its spellings by chance. kind says which texts pass: the same kind selects the same.
func respelled(r *rand.Rand, text string, kind int) any {
	one := func(of ...any) any { return of[r.IntN(len(of))] }
	op := func(name string, v any) any { return map[string]any{name: v} }
	quoted := regexp.QuoteMeta(text)
	first := text[:1]
	switch kind {
	case 0: // This text.
		return one(text, op("in", []any{text}), op("in", []any{text, text}), op("regex", quoted), op("regex", "^"+quoted+"$"), op("regex", "("+quoted+")"),
			op("glob", text), map[string]any{"in": []any{"other", text}, "not_regex": "other"})
	case 1: // This or another.
		return one(op("in", []any{text, "other"}), op("in", []any{"other", text}), op("regex", quoted+"|other"), op("regex", "^(other|"+quoted+")$"))
	case 2: // What begins like it.
		return one(op("regex", first+".*"), op("glob", first+"*"), op("regex", "^"+first+".*$"), op("regex", "("+first+").*?"), map[string]any{"glob": first + "*", "exists": true})
	case 3: // All but others.
		return one(op("not_regex", "other|that"), op("not_regex", "that|other"), op("not_regex", "^(?:other|that)$"))
	case 4:
		return one(op("exists", true), op("regex", ".*"), op("glob", "*"))
	default: // Nothing is asked.
		return map[string]any{}
	}
}

// However the match of a firing rule is spelled after a reload: nothing is said, and the alert ends by its value.
func TestAnySpellingOfAMatchSaysNothing(t *testing.T) {
	t.Parallel()
	series := []attr.Attr{attr.String("a", "x1"), attr.Int("b", 7), attr.String("c", "eu.west")}
	for seed := range uint64(300) {
		random := rand.New(rand.NewPCG(7, seed))
		kinds := map[string]int{}
		for _, key := range []string{"a", "b", "c", "host.name", "z"} {
			kinds[key] = random.IntN(6)
		}
		match := func() map[string]any {
			scope := map[string]any{"z": respelled(random, "s1", kinds["z"])}
			return map[string]any{
				"a": respelled(random, "x1", kinds["a"]), "b": respelled(random, "7", kinds["b"]), "c": respelled(random, "eu.west", kinds["c"]),
				"resource": map[string]any{"host.name": respelled(random, "db1", kinds["host.name"])}, "scope": scope,
			}
		}
		absent := random.IntN(4) == 0
		groupBy := [][]string{nil, {"a", "c"}, {"resource.host.name"}, {"scope.z", "a"}}[random.IntN(4)]
		rule := ladderRule(func(rc *rules.RuleConfig) {
			rc.Match, rc.GroupBy = match(), groupBy
			if absent {
				rc.Thresholds, rc.Severity, rc.Absent = nil, "warning", &rules.AbsentConfig{For: time.Minute}
			}
		})
		r := newRig(t, rule, nil)
		r.origin.Scope = []attr.Attr{attr.String("z", "s1")}
		before := r.cfg.Rules[0].Match
		now := 0.0
		feed := func(n int, v float64) {
			for range n {
				now += 15
				if v > 0 {
					r.observe(now, point{s: now, v: v, attrs: series})
				}
				r.engine.Evaluate(at(now))
			}
		}
		feed(3, 90)
		if absent {
			feed(8, 0)
		}
		require.Equal(t, []string{"fire:warning"}, r.transitions(), "%v", before)
		r.cfg.Rules[0].Match = match()
		r.restartFrom(store{}, now+1, now+2)
		feed(2, map[bool]float64{true: 0, false: 90}[absent])
		require.Empty(t, r.transitions(), "%v and %v", before, r.cfg.Rules[0].Match)
		feed(3, 10)
		require.Equal(t, []string{"resolve"}, r.transitions(), "%v and %v", before, r.cfg.Rules[0].Match)
	}
}

// An alert that a build stored for which {in: [p]} was another match than p, with p in its group key, goes on.
func TestAlertsOfAListOfOneGoOn(t *testing.T) {
	t.Parallel()
	r := newRig(t, ladderRule(func(rc *rules.RuleConfig) { rc.Match = map[string]any{"a": "x"} }), nil)
	attrs := []attr.Attr{attr.String("a", "x"), attr.String("b", "y")}
	r.observe(15, point{s: 15, v: 90, attrs: attrs})
	fired := r.drain()
	require.Len(t, fired, 1)
	stored := store{}
	stored.write(r.engine.Snapshot(at(16)))
	for _, key := range slices.Collect(maps.Keys(stored)) {
		if !strings.HasPrefix(key, alertPrefix) {
			continue
		}
		s, err := decodeAlert(stored[key])
		require.NoError(t, err)
		delete(stored, key)
		keyed, err := attr.DecodeGroup(s.group)
		require.NoError(t, err)
		s.group = attr.EncodeGroup(append(keyed, attr.Located{Attr: attr.String("a", "x")}))
		s.selection = strings.Replace(s.selection, `"a":"x"`, `"a":map[string]interface {}{"in":[]interface {}{"x"}}`, 1)
		stored[alertKey(alertschema.AlertID(s.rule, s.group))] = s.encode()
	}
	for _, match := range []any{"x", map[string]any{"in": []any{"x"}}, map[string]any{"regex": "x"}} {
		r.cfg.Rules[0].Match["a"] = match
		r.restart(20)
		require.NoError(t, r.engine.Restore(maps.Clone(stored), at(20)))
		r.observe(30, point{s: 30, v: 90, attrs: attrs})
		r.engine.Evaluate(at(30))
		require.Empty(t, r.transitions(), "%v", match)
		r.observe(45, point{s: 45, v: 10, attrs: attrs})
		ended := r.drain()
		require.Len(t, ended, 1, "%v", match)
		assert.Equal(t, alertschema.TransitionResolve, ended[0].Transition)
		assert.NotEqual(t, fired[0].AlertID, ended[0].AlertID, "it is that of the key of before")
	}
}

// The bound of a rule whose match asks for one value is read from points that have that value and from points that have none, and from no others.
func TestTheOneValueOfAMatchIsNoPartOfTheGroup(t *testing.T) {
	t.Parallel()
	for _, match := range []any{"idle", map[string]any{"in": []any{"idle"}}, map[string]any{"regex": "^idle$"}} {
		for mode, want := range map[string][]string{"idle": {"fire:warning"}, "": {"fire:warning"}, "user": nil} {
			r := newRig(t, ladderRule(func(rc *rules.RuleConfig) {
				rc.Match = map[string]any{"mode": match}
				rc.Thresholds = map[string]rules.LevelConfig{"warning": {Above: map[string]any{"metric": "limit"}}}
			}), nil)
			limit := []attr.Attr{attr.String("disk", "a")}
			if mode != "" {
				limit = append(limit, attr.String("mode", mode))
			}
			r.on("limit", 0, point{v: 1, attrs: limit})
			r.observe(0, point{v: 2, attrs: []attr.Attr{attr.String("disk", "a"), attr.String("mode", "idle")}})
			r.engine.Evaluate(at(1))
			assert.Equal(t, want, r.transitions(), "%v %q", match, mode)
		}
	}
}
