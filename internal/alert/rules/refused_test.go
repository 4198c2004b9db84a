package rules

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A 0 needs no unit: beside a bound of any unit it is nothing of that.
func TestZeroIsOfAnyUnit(t *testing.T) {
	t.Parallel()
	for unit, bounds := range map[string]struct {
		metric string
		bound  any
		high   float64
	}{
		"%":  {"1", "50%", 0.5},
		"By": {"By", "5GiB", 5 << 30},
		"s":  {"s", "1h30m", 5400},
		"°C": {"Cel", "50°C", 50},
		"":   {"1", 7, 7},
	} {
		for _, level := range []LevelConfig{
			{Outside: []any{0, bounds.bound}}, {Inside: []any{"0", bounds.bound}}, {Above: bounds.bound, Clear: 0}, {Below: 0, Clear: bounds.bound},
		} {
			set, err := compileAll(simpleRule("r", func(rc *RuleConfig) { rc.Thresholds = map[string]LevelConfig{"warning": level} }))
			require.NoError(t, err, "%s %v", unit, level)
			l, err := set.Rules[0].Levels[0].Resolve(bounds.metric)
			require.NoError(t, err, "%s %v", unit, level)
			switch {
			case level.Above != nil:
				assert.Equal(t, []float64{bounds.high, 0}, []float64{l.Low, l.ClearLow}, "%s %v", unit, level)
			case level.Below != nil:
				assert.Equal(t, []float64{0, bounds.high}, []float64{l.Low, l.ClearLow}, "%s %v", unit, level)
			default:
				assert.Equal(t, []float64{0, bounds.high}, []float64{l.Low, l.High}, "%s %v", unit, level)
			}
		}
	}
	_, err := compileAll(simpleRule("r", func(rc *RuleConfig) { rc.Thresholds = map[string]LevelConfig{"warning": {Outside: []any{0.1, "50%"}}} }))
	assert.EqualError(t, err, `rules[0] "r": 0.1 and 50% in level warning are of different units: write both in one`)
}

// How the 0 is written changes no version.
func TestZeroOfAUnitIsASpelling(t *testing.T) {
	t.Parallel()
	version := func(zero any) string {
		set, err := compileAll(simpleRule("r", func(rc *RuleConfig) {
			rc.Thresholds = map[string]LevelConfig{"warning": {Outside: []any{zero, "5GiB"}}}
		}))
		require.NoError(t, err)
		return set.Rules[0].Version
	}
	assert.Equal(t, version("0B"), version(0))
	assert.Equal(t, version("0GiB"), version("0"))
}

// What says nothing, or is compared with itself, is refused.
func TestWhatSaysNothingIsRefused(t *testing.T) {
	t.Parallel()
	itself := `rules[0] "r": the bound is read from m with the same match, and so is the value: it is compared with itself; read the bound from another metric, ` +
		"or compare with an earlier time by change"
	above := func(bound map[string]any) func(*RuleConfig) {
		return func(rc *RuleConfig) { rc.Thresholds["warning"] = LevelConfig{Above: bound} }
	}
	for name, c := range map[string]struct {
		edit func(*RuleConfig)
		want string
	}{
		"an empty list of what is expected": {func(rc *RuleConfig) {
			rc.Thresholds, rc.Severity, rc.GroupBy = nil, "warning", []string{"resource.host.name"}
			rc.Absent = &AbsentConfig{For: time.Minute, Expected: []any{}}
		}, `rules[0] "r": absent.expected is empty: list at least one group, or leave it out`},
		"a bound that is the value": {above(map[string]any{"metric": "m"}), itself},
		"scaled":                    {above(map[string]any{"metric": "m", "scale": 0.9}), itself},
		"with the same match, in another spelling": {func(rc *RuleConfig) {
			above(map[string]any{"metric": "m", "match": map[string]any{"a": op("in", []any{"b"})}})(rc)
			rc.Match = map[string]any{"a": "b"}
		}, itself},
		"another match is another value": {above(map[string]any{"metric": "m", "match": map[string]any{"a": "b"}}), ""},
		"each against what all are":      {above(map[string]any{"metric": "m", "group_aggregate": "avg"}), ""},
		"a mean against the newest": {func(rc *RuleConfig) {
			above(map[string]any{"metric": "m"})(rc)
			rc.Window, rc.Aggregate = time.Minute, "avg"
		}, ""},
	} {
		_, err := compileAll(simpleRule("r", c.edit))
		if c.want == "" {
			assert.NoError(t, err, name)
		} else {
			assert.EqualError(t, err, c.want, name)
		}
	}
}

// A silence that asks for what no rule selects that it may be about can't match, and is refused.
func TestSilencesAgainstTheMatchOfRules(t *testing.T) {
	t.Parallel()
	compiled := func(silence map[string]any, rules ...RuleConfig) error {
		cfg := DefaultConfig()
		cfg.Rules, cfg.Silences = rules, []SilenceConfig{{Match: silence, To: "2027-01-01T00:00:00Z"}}
		_, err := Compile(cfg)
		return err
	}
	matching := func(name string, match map[string]any) RuleConfig {
		return simpleRule(name, func(rc *RuleConfig) { rc.Match = match })
	}
	host := func(v any) map[string]any { return map[string]any{"resource": map[string]any{"host.name": v}} }
	one, web := matching("one", host("db1")), matching("web", host(op("glob", "web*")))
	free := simpleRule("free", nil)
	for _, c := range []struct {
		match map[string]any
		rules []RuleConfig
		want  string
	}{
		{host("db1"), []RuleConfig{one}, ""},
		{host("db2"), []RuleConfig{one}, `match can't be met: rule "one" selects other values of resource.host.name than db2`},
		{map[string]any{"host.name": "db2"}, []RuleConfig{one}, `match can't be met: rule "one" selects other values of host.name than db2`},
		{host("db2"), []RuleConfig{one, free}, ""},
		{host("db2"), []RuleConfig{one, web}, `match can't be met: rule "one" selects other values of resource.host.name than db2`},
		{host("web7"), []RuleConfig{one, web}, ""},
		{host(op("in", []any{"db3", "db2"})), []RuleConfig{web}, `match can't be met: rule "web" selects other values of resource.host.name than in [db3, db2]`},
		{host(op("regex", "db.*")), []RuleConfig{one, web}, ""},
		{host(op("regex", "x.*")), []RuleConfig{one}, `match can't be met: rule "one" selects other values of resource.host.name than regex x.*`},
		{host(op("not_regex", "db1")), []RuleConfig{one}, `match can't be met: rule "one" selects other values of resource.host.name than not_regex db1`},
		{host(op("exists", false)), []RuleConfig{one}, `match can't be met: rule "one" selects other values of resource.host.name than exists: false`},
		{map[string]any{"alert.rule.name": "one", "host.name": "web1"}, []RuleConfig{one, web}, `match can't be met: rule "one" selects other values of host.name than web1`},
		{map[string]any{"alert.rule.name": "web", "host.name": "web1"}, []RuleConfig{one, web}, ""},
		{map[string]any{"mount": "/tmp"}, []RuleConfig{matching("disk", map[string]any{"mount": op("not_regex", "/tmp.*")})}, `match can't be met: rule "disk" selects other values of mount than /tmp`},
	} {
		err := compiled(c.match, c.rules...)
		if c.want == "" {
			assert.NoError(t, err, "%v", c.match)
		} else {
			assert.EqualError(t, err, "silences[0]: "+c.want, "%v", c.match)
		}
	}
}

// A silence that is over is said, and no other.
func TestSilencesThatAreOver(t *testing.T) {
	t.Parallel()
	cfg := DefaultConfig()
	cfg.Rules = []RuleConfig{simpleRule("r", nil)}
	cfg.Silences = []SilenceConfig{
		{All: true, From: "2025-01-01T00:00:00Z", To: "2026-01-01T00:00:00Z"},
		{All: true, To: "2027-01-01T00:00:00Z"},
		{All: true, From: "2025-01-01T00:00:00Z"},
		{All: true, Cron: "0 0 * * *", Duration: time.Hour},
	}
	set, err := Compile(cfg)
	require.NoError(t, err)
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	assert.Equal(t, []string{"silences[0]: it ended at 2026-01-01T00:00:00Z and does nothing any more: remove it"}, set.PastSilences(now.UnixNano()))
	assert.Empty(t, set.PastSilences(now.Add(-time.Nanosecond).UnixNano()))
}
