package rules

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
)

func withSilence(match map[string]any) Config {
	cfg := DefaultConfig()
	cfg.Rules = []RuleConfig{
		{
			Name: "cpu", Metric: "m", Thresholds: map[string]LevelConfig{"warning": {Above: 1}, "critical": {Above: 2}}, GroupBy: []string{"level", "resource.host.name"},
			Labels: map[string]string{"team": "sre", "owner": `{{ .Resource "host.name" }}`},
		},
		{Name: "disk", Metric: "m", Threshold: 1, Severity: "info", Labels: map[string]string{"team": "storage"}},
	}
	cfg.Silences = []SilenceConfig{{Match: match, To: "2027-01-01T00:00:00Z"}}
	return cfg
}

// op is a test with one operator.
func op(name string, arg any) map[string]any { return map[string]any{name: arg} }

func TestSilencesThatMatchNothingAreRefused(t *testing.T) {
	for _, c := range []struct {
		match map[string]any
		want  string
	}{
		{nil, `match is required: it says which alerts are silenced; write "all: true" to silence all`},
		{map[string]any{}, `match is required: it says which alerts are silenced; write "all: true" to silence all`},
		{map[string]any{"resource.host.name": "db1"}, "match.resource.host.name: an attribute of the resource is written {resource: {host.name: …}}"},
		{map[string]any{"scope.name": "x"}, "match.scope.name: an attribute of the scope is written {scope: {name: …}}"},
		{map[string]any{"resource": "db1"}, "match.resource: db1: expected a block of attributes of the resource"},
		{map[string]any{"alert.rule": "cpu"}, `match.alert.rule: cpu: there is no such key (did you mean "alert.rule.name"?)`},
		{map[string]any{"alertname": "cpu"}, `match.alertname: cpu: there is no such key (did you mean "alert.rule.name"?)`},
		{map[string]any{"rule": "cpu"}, `match.rule: cpu: there is no such key (did you mean "alert.rule.name"?)`},
		{map[string]any{"severity": "critical"}, `match.severity: critical: there is no such key (did you mean "alert.severity"?)`},
		{map[string]any{"label.team": "sre"}, `match.label.team: sre: there is no such key (did you mean "alert.label.team"?)`},
		{map[string]any{"alert.labels.team": "sre"}, `match.alert.labels.team: there is no such key (did you mean "alert.label.<name>"?)`},
		{map[string]any{"alert.severty": "critical"}, `match.alert.severty: there is no such key (did you mean "alert.severity"?)`},
		{map[string]any{"alert.rule.name": "cpus"}, `match.alert.rule.name: cpus matches no rule (did you mean "cpu"?)`},
		{map[string]any{"alert.rule.name": op("in", []any{"a", "b"})}, `match.alert.rule.name: in [a, b] matches no rule (known: cpu, disk)`},
		{map[string]any{"alert.rule.name": op("regex", "cp")}, `match.alert.rule.name: regex cp matches no rule (did you mean "cpu"?)`},
		{map[string]any{"alert.rule.name": op("glob", "mem*")}, `match.alert.rule.name: glob mem* matches no rule (known: cpu, disk)`},
		{map[string]any{"alert.rule.name": op("exists", false)}, `match.alert.rule.name: exists: false matches no rule (known: cpu, disk)`},
		{map[string]any{"alert.severity": "crit"}, `match.alert.severity: crit matches no severity of a rule (did you mean "critical"?)`},
		{map[string]any{"alert.label.tem": "sre"}, `match.alert.label.tem: no rule has a label "tem" (did you mean "team"?)`},
		{map[string]any{"alert.label.team": "srs"}, `match.alert.label.team: srs matches no label "team" of a rule (did you mean "sre"?)`},
		{map[string]any{"alert.rule.name": "disk", "alert.severity": "critical"}, "match: no rule has what alert.rule.name and alert.severity ask for together"},
		{map[string]any{"alert.rule.name": "disk", "alert.label.team": "sre"}, "match: no rule has what alert.label.team and alert.rule.name ask for together"},
		{map[string]any{"host.name": op("in", []any{})}, "match.host.name: in: [] matches nothing: name at least one value"},
	} {
		_, err := Compile(withSilence(c.match))
		assert.EqualError(t, err, "silences[0]: "+c.want, "%v", c.match)
	}
}

func TestSilencesThatMatchSomethingAreTaken(t *testing.T) {
	for _, match := range []map[string]any{
		{"alert.rule.name": "cpu"},
		{"alert.rule.name": op("glob", "c*"), "alert.severity": op("in", []any{"critical", "page"})},
		{"alert.severity": op("not_regex", "crit.*")},
		{"alert.label.team": op("exists", false), "alert.rule.name": op("exists", true)},
		{"alert.label.owner": "db1"}, // What a template makes of it is not known before.
		{"level": "3"},               // An attribute, for a rule names it.
		{"host.name": "db1", "resource": map[string]any{"os.type": op("exists", true)}},
		{"system.filesystem.mountpoint": "/"},
	} {
		cfg := withSilence(match)
		if _, err := Compile(cfg); match["alert.label.team"] != nil {
			assert.EqualError(t, err, `silences[0]: match.alert.label.team: exists: false matches no label "team" of a rule (known: sre, storage)`)
		} else {
			assert.NoError(t, err, "%v", match)
		}
	}
	cfg := withSilence(nil)
	cfg.Silences[0].All = true
	_, err := Compile(cfg)
	require.NoError(t, err)
	cfg.Silences[0].Match = map[string]any{"a": "b"}
	_, err = Compile(cfg)
	require.EqualError(t, err, `silences[0]: "all" and "match" exclude each other: leave one of them out`)
}

// While the rules of rule files are not read, a silence may be about them.
func TestSilencesOfRulesThatAreNotReadYet(t *testing.T) {
	cfg := withSilence(map[string]any{"alert.rule.name": "of a file", "severity": "x"})
	require.NoError(t, cfg.Validate())
	cfg = withSilence(map[string]any{"alert.rule": "x"})
	require.Error(t, cfg.Validate())
}

// The same keys mean the same in the match of a rule and in that of a silence.
func TestSilenceMatch(t *testing.T) {
	resource := []attr.Attr{attr.String("host.name", "db1"), attr.String("os.type", "linux")}
	group := []attr.Attr{attr.String("level", "3"), attr.String("alert.label.team", "of the data")}
	scope := []attr.Attr{attr.String("name", "s")}
	labels := []attr.Label{{Key: "team", Text: "sre"}}
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).UnixNano()
	for _, c := range []struct {
		match map[string]any
		want  bool
	}{
		{map[string]any{"resource": map[string]any{"host.name": "db1"}}, true},
		{map[string]any{"resource": map[string]any{"host.name": "db2"}}, false},
		{map[string]any{"resource": map[string]any{"level": "3"}}, false},
		{map[string]any{"host.name": "db1"}, true},
		{map[string]any{"level": 3}, true},
		{map[string]any{"scope": map[string]any{"name": "s"}}, true},
		{map[string]any{"scope": map[string]any{"name": "t"}}, false},
		{map[string]any{"alert.rule.name": "cpu", "alert.severity": "warning", "alert.label.team": "sre"}, true},
		{map[string]any{"alert.severity": "critical"}, false},
		{map[string]any{"alert.label.owner": op("exists", true)}, false},
		{map[string]any{"alert.rule.name": op("regex", "c.u")}, true},
		{map[string]any{"resource": map[string]any{"host.name": op("not_regex", "db.*")}}, false},
	} {
		set, err := Compile(withSilence(c.match))
		require.NoError(t, err, "%v", c.match)
		silences := NewSilenceSet(set.Silences)
		assert.Equal(t, c.want, silences.Silenced(now, "cpu", "warning", labels, group, resource, scope), "%v", c.match)
	}
}

func TestMatchesThatContradictThemselves(t *testing.T) {
	for _, c := range []struct {
		ops  map[string]any
		want string
	}{
		{op("in", []any{}), "in: [] matches nothing: name at least one value"},
		{map[string]any{"in": []any{"a", "b"}, "regex": "c.*"}, "nothing is in [a, b] and regex c.* at once"},
		{map[string]any{"in": []any{"a"}, "not_regex": "a"}, "nothing is in [a] and not_regex a at once"},
		{map[string]any{"regex": "a.*", "not_regex": "a.*"}, "nothing is not_regex a.* and regex a.* at once"},
		{map[string]any{"regex": "foo", "glob": "bar*"}, "nothing is glob bar* and regex foo at once"},
		{map[string]any{"glob": "/run", "in": []any{"/", "/var"}}, "nothing is glob /run and in [/, /var] at once"},
		{map[string]any{"exists": false, "regex": "a"}, "nothing is exists: false and regex a at once"},
		{map[string]any{"exists": false, "in": []any{"a"}}, "nothing is exists: false and in [a] at once"},
		{map[string]any{"exists": true, "not_regex": ".*"}, "nothing is exists: true and not_regex .* at once"},
		{map[string]any{"in": []any{"a", "b"}, "regex": "[b-z]"}, ""},
		{map[string]any{"exists": false, "not_regex": "a"}, ""},
		{map[string]any{"regex": "a.*", "not_regex": "ab.*"}, ""},
		{map[string]any{"glob": "a*", "regex": ".*b"}, ""},
	} {
		for _, of := range []string{"", "resource"} {
			match, where := map[string]any{"k": c.ops}, "match.k: "
			if of != "" {
				match, where = map[string]any{of: match}, "match."+of+".k: "
			}
			cfg := DefaultConfig()
			cfg.Rules = []RuleConfig{{Name: "r", Metric: "m", Match: match, Threshold: 1, Severity: "warning"}}
			_, err := Compile(cfg)
			if c.want == "" {
				assert.NoError(t, err, "%v", c.ops)
			} else {
				assert.EqualError(t, err, `rules[0] "r": `+where+c.want, "%v", c.ops)
			}
		}
	}
}
