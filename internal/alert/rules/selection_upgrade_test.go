package rules

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPatternsOfEarlierBuildsSelectTheSame(t *testing.T) {
	selection := func(op, pattern string) *Rule {
		cfg := DefaultConfig()
		cfg.Rules = []RuleConfig{{
			Name: "r", Metric: "m", Threshold: 1, Severity: "warning",
			Match: map[string]any{"a": "b", "k": map[string]any{op: pattern}, "resource": map[string]any{"host.name": map[string]any{op: pattern}}},
		}}
		set, err := Compile(cfg)
		require.NoError(t, err)
		return set.Rules[0]
	}
	for _, c := range []struct {
		before, today string
		same          bool
	}{
		{"^sd", "^sd", true},
		{"^sd", "sd.*", true},
		{"^sd", "^sd.*$", true},
		{"1$", ".*1", true},
		{"postgres", ".*postgres.*", true},
		{"^sda$", "sda", true},
		{"^sd.*", "sd.*", true},
		{`"quoted\` + `\\"`, `.*"quoted\` + `\\".*`, true},
		{"sda|sdb", ".*(?:sda|sdb).*", true},
		{"sda|sdb", "sda|sdb", true}, // Not changed, so not closed.
		{"^sd", "sd", true},          // To builds in between the same.
		{"^sd", "hd.*", false},
		{"sd", "sd.*", false},
	} {
		for _, op := range []string{"regex", "not_regex"} {
			assert.Equal(t, c.same, selection(op, c.today).SelectedAs(selection(op, c.before).WrittenSelection), "%s then, %s today", c.before, c.today)
		}
	}
	assert.False(t, selection("regex", "sd.*").SelectedAs(selection("not_regex", "^sd").WrittenSelection))
}
