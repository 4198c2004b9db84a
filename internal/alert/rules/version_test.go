package rules

import (
	"encoding/json"
	"flag"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/ladder"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/window"
)

var updateVersions = flag.Bool("update-versions", false, "write testdata/rule_versions.json again; never for rules that have been released")

// versionedRules are rules that use, one each, what versions and selections are made of.
func versionedRules() []RuleConfig {
	base := func(edit func(*RuleConfig)) RuleConfig {
		rc := RuleConfig{Metric: "system.cpu.utilization", Thresholds: map[string]LevelConfig{"warning": {Above: 0.8}}}
		edit(&rc)
		return rc
	}
	var out []RuleConfig
	add := func(name string, edit func(*RuleConfig)) {
		rc := base(edit)
		rc.Name = name
		out = append(out, rc)
	}
	add("plain", func(*RuleConfig) {})
	add("texts do not count", func(rc *RuleConfig) {
		rc.Description, rc.Labels, rc.Annotations, rc.Top = "d", map[string]string{"a": "b"}, map[string]string{"c": "d"}, 3
		rc.Message, rc.Lookback = "m", "1m"
	})
	for name, match := range map[string]map[string]any{
		"empty":     {},
		"text":      {"cpu.mode": "idle", "cpu": "0"},
		"quotes":    {"a": "say \"hi\"\\\n`x`\u00e9\u2028\x00"},
		"ints":      {"a": 5, "b": int64(-7)},
		"floats":    {"a": 1.0, "b": 0.25, "c": 1e21, "d": 1e20, "e": 1e-7, "f": -2.5, "g": 123456789.0, "h": math.MaxFloat64},
		"bools":     {"a": true, "b": false},
		"operators": {"a": map[string]any{"regex": "^a|b$"}, "b": map[string]any{"not_regex": "x"}, "c": map[string]any{"glob": "*"}},
		"in":        {"a": map[string]any{"in": []any{"x", 1, 2.5, true}}, "b": map[string]any{"in": []any{"y"}}},
		"exists":    {"a": map[string]any{"exists": true}, "b": map[string]any{"exists": false}},
		"nested":    {"resource": map[string]any{"host.name": "db1"}, "scope": map[string]any{"name": map[string]any{"glob": "otel*"}}, "x": "y"},
		"no ops":    {"a": map[string]any{}},
		"key text":  {"a \"b\"": "c"},
	} {
		add("match "+name, func(rc *RuleConfig) { rc.Match = match })
	}
	add("group by nothing", func(rc *RuleConfig) { rc.GroupBy = []string{} })
	add("group by sources", func(rc *RuleConfig) { rc.GroupBy = []string{"cpu", "resource.host.name", "scope.name"} })
	add("group by resource", func(rc *RuleConfig) { rc.GroupBy = []string{"resource", "cpu"} })
	for _, agg := range []string{"sum", "avg", "min", "max", "count"} {
		add("group "+agg, func(rc *RuleConfig) { rc.GroupAggregate = agg })
	}
	for _, agg := range []string{"last", "avg", "min", "max", "sum", "count", "stddev", "p50", "p99.9", "rate", "increase", "changes", "resets"} {
		add("aggregate "+agg, func(rc *RuleConfig) { rc.Window, rc.Aggregate = 5*time.Minute, agg })
	}
	add("scale", func(rc *RuleConfig) { rc.Scale, rc.Offset = new(-1.0), 1 })
	add("scale of odd numbers", func(rc *RuleConfig) { rc.Scale, rc.Offset = new(1e21), 1e-9 })
	add("forecast", func(rc *RuleConfig) { rc.Forecast = &ForecastConfig{Window: time.Hour, Horizon: 4 * time.Hour} })
	add("forecast with coverage", func(rc *RuleConfig) {
		rc.Forecast = &ForecastConfig{Window: time.Hour, Horizon: 4 * time.Hour, MinCoverage: new(0.9)}
		rc.Thresholds["critical"] = LevelConfig{Above: 0.8, Horizon: time.Hour}
	})
	change := func(name string, c ChangeConfig, edit func(*RuleConfig)) {
		add(name, func(rc *RuleConfig) {
			rc.Change = &c
			edit(rc)
		})
	}
	change("change", ChangeConfig{Since: time.Hour}, func(*RuleConfig) {})
	change("relative change", ChangeConfig{Since: 168 * time.Hour, Relative: true}, func(rc *RuleConfig) {
		rc.Window, rc.Aggregate, rc.Scale, rc.Offset = time.Hour, "avg", new(-1.0), 1
	})
	absent := func(name string, a AbsentConfig, edit func(*RuleConfig)) {
		add(name, func(rc *RuleConfig) {
			rc.Thresholds, rc.Severity, rc.Absent = nil, "critical", &a
			edit(rc)
		})
	}
	absent("absent", AbsentConfig{For: 5 * time.Minute}, func(*RuleConfig) {})
	absent("absent expected", AbsentConfig{For: 5 * time.Minute, Expect: true, StartGrace: new(time.Minute)}, func(*RuleConfig) {})
	absent("absent by group", AbsentConfig{For: 5 * time.Minute}, func(rc *RuleConfig) { rc.GroupBy = []string{"resource"} })
	absent("absent with a list", AbsentConfig{For: time.Hour, Expected: []any{"db1"}}, func(rc *RuleConfig) { rc.GroupBy = []string{"resource.host.name"} })
	absent("absent point", AbsentConfig{For: time.Hour}, func(rc *RuleConfig) { rc.Statistic = "p95" })
	for _, point := range []string{"min", "max", "avg", "sum", "count", "p50", "p99.9"} {
		add("point "+point, func(rc *RuleConfig) { rc.Statistic = point })
	}
	ratio := func(name string, r RatioConfig, edit func(*RuleConfig)) {
		add(name, func(rc *RuleConfig) {
			rc.Metric, rc.Ratio = "", &r
			edit(rc)
		})
	}
	errors, all := SelectorConfig{Metric: "errors", Match: map[string]any{"code": "500"}}, SelectorConfig{Metric: "requests"}
	ratio("ratio", RatioConfig{Numerator: errors, Denominator: all}, func(*RuleConfig) {})
	ratio("ratio of one metric", RatioConfig{Numerator: errors, Denominator: SelectorConfig{Metric: "errors"}}, func(rc *RuleConfig) { rc.GroupAggregate = "max" })
	ratio("ratio of points", RatioConfig{Numerator: SelectorConfig{Metric: "a", Statistic: "sum"}, Denominator: SelectorConfig{Metric: "a", Statistic: "count"}},
		func(rc *RuleConfig) { rc.Window, rc.Aggregate = time.Minute, "rate" })
	add("only if", func(rc *RuleConfig) {
		rc.OnlyIf = &ConditionConfig{Metric: "up", Match: map[string]any{"job": "x"}, Outside: []any{1, "2"}, Statistic: "p90"}
	})
	for name, l := range map[string]LevelConfig{
		"percent": {Above: "80%"}, "bytes": {Above: "5GiB"}, "below": {Below: 1}, "outside": {Outside: []any{1, 2}},
		"inside": {Inside: []any{"10%", "20%"}}, "clear": {Above: 80, Clear: 70}, "outside clear": {Outside: []any{1, 9}, Clear: []any{2, 8}},
		"for": {Above: 1, For: new(time.Minute)}, "keep": {Above: 1, KeepFiringFor: new(90 * time.Second)},
		"samples": {Above: 1, ForSamples: &ForSamplesConfig{Breached: 3, Of: 5}},
	} {
		add("level "+name, func(rc *RuleConfig) { rc.Thresholds = map[string]LevelConfig{"critical": l} })
	}
	add("hysteresis", func(rc *RuleConfig) { rc.Hysteresis = new(0.1) })
	add("ladder", func(rc *RuleConfig) {
		rc.Thresholds = map[string]LevelConfig{"info": {Above: 1}, "warning": {Above: 2, Clear: 1.5}, "critical": {Above: 3}}
	})
	return out
}

// TestRuleVersionsAreThoseOfStoredAlerts: an alert of another version or selection is another rule's, and is closed when it is restored.
func TestRuleVersionsAreThoseOfStoredAlerts(t *testing.T) {
	t.Parallel()
	type stored struct{ Version, Selection string }
	got := map[string]stored{}
	compiled := map[string]*Rule{}
	add := func(cfg Config) {
		ruleSet, err := Compile(cfg)
		require.NoError(t, err)
		for _, r := range ruleSet.Rules {
			got[r.Name], compiled[r.Name] = stored{r.Version, r.Selection}, r
		}
	}
	for _, rc := range versionedRules() {
		cfg := DefaultConfig()
		cfg.Rules = []RuleConfig{rc}
		add(cfg)
	}
	cfg := DefaultConfig()
	cfg.Preset = "host"
	add(cfg)
	path := filepath.Join("testdata", "rule_versions.json")
	if *updateVersions {
		text, err := json.MarshalIndent(got, "", "\t")
		require.NoError(t, err)
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(path, append(text, '\n'), 0o600))
	}
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	var want map[string]stored
	require.NoError(t, json.Unmarshal(text, &want))
	for name, w := range want {
		assert.Equal(t, w, got[name], name)
	}
	assert.Len(t, got, len(want), "rules without a stored version: %s", path)

	// Builds have stored these: those that stored selections as they were written, and those for which {in: [p]} was another match than p. An
	// upgrade closes no alert of a rule that is the same.
	for _, file := range []string{"rule_selections_written.json", "rule_selections_by_rule.json"} {
		text, err = os.ReadFile(filepath.Join("testdata", file))
		require.NoError(t, err)
		var before map[string]string
		require.NoError(t, json.Unmarshal(text, &before))
		require.NotEmpty(t, before)
		for name, selection := range before {
			if r := compiled[name]; assert.NotNil(t, r, name) {
				assert.True(t, r.SelectedAs(selection), "%s: %s", name, selection)
			}
		}
	}
}

// versionFields says of every field of a rule whether it is part of the rule's version. A new field must be entered here; if it is part of the
// version, then only where the rule uses it, or every stored alert is closed on an upgrade: rule_versions.json holds that.
var versionFields = map[string]map[string]bool{
	"Rule": {
		"Index": false, "Name": false, "Description": false, "Metric": true, "Kind": true, "Value": true, "OnlyIf": true, "And": true, "Unless": false, "Active": false, "Window": true, "Aggregate": true,
		"AggregateName": false, "Scale": true, "Offset": true, "Levels": true, "Threshold": true, "ThresholdsBy": true, "GroupBy": true, "GroupGiven": true, "ByResource": true, "Identity": true, "GroupAggregate": true,
		"Joins": false, "Retention": false, "Lookback": false, "NoData": false, "NoDataAfter": false, "StaleAfter": false, "NewSeriesDelay": false, "MinSamples": false,
		"FullWindow": false, "PartialWindow": false, "RepeatInterval": false, "Flapping": false, "Top": false, "MayMatchNothing": false, "Labels": false, "Annotations": false,
		"Version": false, "Selection": false, "WrittenSelection": false,
	},
	"Target": {"Metric": false, "Selector": true, "Statistic": true, "StatisticName": false, "Key": false, "oldForm": false, "oldName": false},
	"LevelSpec": {
		"Severity": false, "Name": true, "Number": false, "Comparison": true, "Raise": true, "Clear": true, "HasClear": true, "Hysteresis": true,
		"ForDuration": true, "KeepFiringFor": true, "Horizon": true, "ForSamples": true, "Message": false, "Off": true, "source": true, "ofRate": false,
	},
	"Condition":  {"Target": true, "Bound": true},
	"GroupField": {"Location": true, "Key": true},
	"Aggregate":  {"Kind": true, "Quantile": true},
	"Statistic":  {"Kind": true, "Quantile": true},
	"Quantity":   {"Number": false, "exact": false, "Unit": false, "Text": true, "of": false, "rated": false, "Moving": true},
	"comparison": {"valueKind": false},
	"ratio":      {"valueKind": false, "divisor": true},
	"forecast":   {"valueKind": false, "span": true, "horizon": false, "minCoverage": true},
	"change":     {"valueKind": false, "inner": true, "since": true, "relative": true, "scale": true},
	"absence":    {"rule": false, "inner": true, "after": true, "expect": true, "startGrace": true, "expected": false},
}

func TestEveryFieldOfARuleIsPartOfTheVersionOrNot(t *testing.T) {
	t.Parallel()
	types := []reflect.Type{}
	for _, v := range []any{Rule{}, Target{}, LevelSpec{}, Condition{}, GroupField{}, window.Aggregate{}, window.Statistic{}, Quantity{}} {
		types = append(types, reflect.TypeOf(v))
	}
	for _, r := range rulesOfEachKind(t) {
		types = append(types, reflect.TypeOf(r.Kind).Elem())
	}
	for _, typ := range types {
		known := versionFields[typ.Name()]
		for field := range typ.Fields() {
			assert.Contains(t, known, field.Name, "%s: say in versionFields whether it is part of the version", typ.Name())
		}
		assert.Len(t, known, typ.NumField(), typ.Name())
	}
}

// rulesOfEachKind returns a rule of the plain comparison and one of each of kinds, out of versionedRules.
func rulesOfEachKind(t *testing.T) []*Rule {
	t.Helper()
	compiled := func(rc RuleConfig) *Rule {
		cfg := DefaultConfig()
		cfg.Rules = []RuleConfig{rc}
		set, err := Compile(cfg)
		require.NoError(t, err)
		return set.Rules[0]
	}
	var out []*Rule
	seen := map[reflect.Type]bool{}
	take := func(given func(*RuleConfig) bool) bool {
		for _, rc := range versionedRules() {
			if !given(&rc) {
				continue
			}
			if r := compiled(rc); !seen[reflect.TypeOf(r.Kind)] {
				seen[reflect.TypeOf(r.Kind)] = true
				out = append(out, r)
				return true
			}
		}
		return false
	}
	isPlain := func(rc *RuleConfig) bool {
		return !slices.ContainsFunc(kinds, func(k kindSpec) bool { return k.given(rc) })
	}
	require.True(t, take(isPlain))
	for i, k := range kinds {
		require.True(t, take(k.given), "kinds[%d] has no rule of its own in versionedRules", i)
	}
	return out
}

// A field of a kind that is said to be part of the version changes it, and no other does. The golden file holds those of other types.
func TestTheVersionIsMadeOfTheFieldsOfTheKind(t *testing.T) {
	t.Parallel()
	for _, r := range rulesOfEachKind(t) {
		version, _ := ruleVersion(r)
		kind := reflect.ValueOf(r.Kind).Elem()
		for name, part := range versionFields[kind.Type().Name()] {
			field := kind.FieldByName(name)
			field = reflect.NewAt(field.Type(), field.Addr().UnsafePointer()).Elem() // Unexported fields can't be set otherwise.
			old := reflect.New(field.Type()).Elem()
			old.Set(field)
			switch field.Kind() {
			case reflect.Int, reflect.Int64:
				field.SetInt(field.Int() + 77)
			case reflect.Float64:
				field.SetFloat(field.Float() + 0.25)
			case reflect.String:
				field.SetString("other")
			case reflect.Bool:
				field.SetBool(!field.Bool())
			default:
				continue
			}
			changed, _ := ruleVersion(r)
			assert.Equal(t, part, changed != version, "%s.%s", kind.Type().Name(), name)
			field.Set(old)
		}
	}
}

// A kind that embeds another has the other's reading and version unless it remembers to replace them.
func TestNoKindEmbedsAnother(t *testing.T) {
	t.Parallel()
	for _, r := range rulesOfEachKind(t) {
		typ := reflect.TypeOf(r.Kind).Elem()
		for field := range typ.Fields() {
			isKind := field.Type.Implements(reflect.TypeFor[Kind]()) || reflect.PointerTo(field.Type).Implements(reflect.TypeFor[Kind]())
			assert.False(t, field.Anonymous && isKind, "%s embeds %s: embed valueKind", typ.Name(), field.Name)
		}
	}
}

// What is no part of the version changes nothing of it, whatever it is.
func TestTheVersionIsMadeOfItsFieldsAlone(t *testing.T) {
	t.Parallel()
	compiled := func() *Rule {
		cfg := DefaultConfig()
		cfg.Rules = twoLevels(nil)
		set, err := Compile(cfg)
		require.NoError(t, err)
		return set.Rules[0]
	}
	version, selection := ruleVersion(compiled())
	for name, part := range versionFields["Rule"] {
		if part {
			continue
		}
		r := compiled()
		field := reflect.ValueOf(r).Elem().FieldByName(name)
		switch field.Kind() {
		case reflect.Int, reflect.Int64:
			field.SetInt(field.Int() + 77)
		case reflect.Uint8:
			field.SetUint(field.Uint() + 1)
		case reflect.String:
			field.SetString("other")
		case reflect.Bool:
			field.SetBool(!field.Bool())
		case reflect.Slice:
			field.Set(reflect.MakeSlice(field.Type(), 2, 2))
		case reflect.Pointer:
			field.Set(reflect.New(field.Type().Elem()))
		case reflect.Struct:
			field.Set(reflect.ValueOf(ladder.FlappingRule{Transitions: 99}))
		default:
			t.Errorf("%s: a kind of field that the test does not know", name)
		}
		v, s := ruleVersion(r)
		assert.Equal(t, version, v, name)
		assert.Equal(t, selection, s, name)
	}
}
