package rules

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"go.opentelemetry.io/collector/confmap"
)

// spelling writes one meaning in one of the ways in which an operator may.
type spelling struct{ *rand.Rand }

func (s spelling) oneOf(texts ...string) string { return texts[s.IntN(len(texts))] }

// quoted writes text with quotes of one kind or the other, or without where YAML takes it for text all the same or the product does.
func (s spelling) quoted(text string) string {
	return s.oneOf(text, strconv.Quote(text), "'"+text+"'")
}

func (s spelling) duration(d time.Duration) string {
	return s.oneOf(d.String(), fmt.Sprintf("%ds", int(d.Seconds())), fmt.Sprintf("%dms", d.Milliseconds()), fmt.Sprintf("%gm", d.Minutes()), FormatDuration(d))
}

// list writes a list in any order.
func (s spelling) list(items ...string) string {
	items = slices.Clone(items)
	s.Shuffle(len(items), func(i, j int) { items[i], items[j] = items[j], items[i] })
	if s.IntN(2) == 0 {
		return "[" + strings.Join(items, ", ") + "]"
	}
	return "\n        - " + strings.Join(items, " # why\n        - ") + "\n"
}

// object writes a flow mapping in any order; empty entries are left out.
func (s spelling) object(entries ...string) string {
	entries = slices.DeleteFunc(slices.Clone(entries), func(e string) bool { return e == "" })
	s.Shuffle(len(entries), func(i, j int) { entries[i], entries[j] = entries[j], entries[i] })
	return "{" + strings.Join(entries, s.oneOf(", ", ",  ", ",")+" ") + "}"
}

// rules writes a file of rules that mean the same each time.
func (s spelling) rules() string {
	in := func() string {
		return "{in: [" + strings.Join(s.shuffled("user", s.quoted("system"), "3", "user"), ", ") + "]}"
	}
	match := s.object("cpu.mode: "+in(), "cpu: "+s.quoted("0"), "resource: "+s.object("host.name: "+s.quoted("db1"), "rack: "+s.oneOf("7", `"7"`, "7.0")),
		s.oneOf("", "scope: {}"), "on: "+s.quoted("true"))
	warning := s.object("above: "+s.oneOf("80%", `"80 %"`, "80.0%"), "clear: "+s.oneOf("70%", `"7e1%"`), "for: "+s.duration(time.Minute))
	if s.IntN(2) == 0 {
		warning = s.object("above: "+s.oneOf("0.8", `"0.80"`, "8e-1"), "clear: "+s.oneOf("0.7", ".7"), "for: "+s.duration(time.Minute))
	}
	ladder := s.object("warning: "+warning, "critical: "+s.object("above: "+s.oneOf("95%", "0.95", "95.0%"), s.oneOf("", "keep_firing_for: 0s")))
	keys := []string{
		"metric: " + s.quoted("system.cpu.utilization"), "match: " + match,
		"group_by: " + s.list("cpu", s.quoted("cpu.mode"), "resource.host.name", "scope.zone"), "thresholds: " + ladder,
		"labels: " + s.object("team: "+s.quoted("sre"), "site: a"), "window: " + s.duration(5*time.Minute), "aggregate: avg",
	}
	keys = append(keys, s.some("scale: 1", "offset: 0", "hysteresis: 0", "top: 0", "description: ''", "no_data: {after: 5m}", "lookback: auto")...)
	blocks := []string{
		s.rule("ladder", keys),
		s.rule("bytes", append([]string{
			"metric: system.memory.usage", "severity: warning", s.oneOf("threshold: ", "above: ") + s.oneOf("5GiB", "5120MiB", `"5 GiB"`, "5.0GiB"),
		}, s.some("match: {}", "scale: 1.0", "for: 0s", "match: {resource: {}}")...)),
		s.rule("count", []string{"metric: system.processes.count", "severity: critical", "threshold: " + s.oneOf("1000", "1e3", `"1000"`, "1000.0", "1_000")}),
		s.rule("ratio", []string{
			"ratio: " + s.object("numerator: "+s.object("metric: errors", "match: {code: "+s.oneOf("500", `"500"`)+"}"), "denominator: {metric: all}"),
			"group_by: " + s.list("zone", "host"), "severity: warning", "threshold: " + s.oneOf("1%", "0.01", "1e-2"), "only_if: " +
				s.object("metric: users.utilization", "above: "+s.oneOf("7%", "0.07"), s.oneOf("", "match: {}")),
		}),
		s.rule("gone", []string{
			"metric: up", "severity: critical", "match: " + s.object("job: "+s.quoted("db"), "i: "+s.oneOf("1", `"1"`)),
			"absent: " + s.object("for: "+s.duration(4*time.Minute), s.oneOf("", "expect: false")), s.oneOf("top: 0", "group_by: []"),
		}),
	}
	return "# a comment\nrules:\n" + strings.Join(blocks, s.oneOf("\n", "\n\n", "\n# another\n"))
}

func (s spelling) shuffled(items ...string) []string {
	s.Shuffle(len(items), func(i, j int) { items[i], items[j] = items[j], items[i] })
	return items
}

// some returns some of the settings that say what holds without them.
func (s spelling) some(settings ...string) []string {
	keys := map[string]bool{}
	return slices.DeleteFunc(settings, func(text string) bool {
		key, _, _ := strings.Cut(text, ":")
		if keys[key] || s.IntN(2) == 0 {
			return true
		}
		keys[key] = true
		return false
	})
}

func (s spelling) rule(name string, keys []string) string {
	keys = s.shuffled(append(keys, "name: "+s.quoted(name))...)
	return "  - " + strings.Join(keys, s.oneOf("\n    ", " # comment\n    ")) + "\n"
}

// compileText compiles rules as they stand in a file.
func compileText(t *testing.T, text string) map[string]*Rule {
	t.Helper()
	var raw map[string]any
	require.NoError(t, yaml.Unmarshal([]byte(text), &raw), text)
	cfg := DefaultConfig()
	require.NoError(t, confmap.NewFromStringMap(raw).Unmarshal(&cfg), text)
	set, err := Compile(cfg)
	require.NoError(t, err, text)
	out := map[string]*Rule{}
	for _, r := range set.Rules {
		out[r.Name] = r
	}
	return out
}

// However a rule is written, it is the same rule.
func TestSpellingDoesNotChangeARule(t *testing.T) {
	t.Parallel()
	first := spelling{rand.New(rand.NewPCG(1, 1))}.rules()
	want := compileText(t, first)
	for seed := range uint64(300) {
		text := spelling{rand.New(rand.NewPCG(2, seed))}.rules()
		got := compileText(t, text)
		require.Len(t, got, len(want))
		for name, r := range want {
			require.Equal(t, r.Selection, got[name].Selection, "%s of\n%s\n%s", name, first, text)
			require.Equal(t, r.Version, got[name].Version, "%s of\n%s\n%s", name, first, text)
		}
	}
}

// What means something else is another version.
func TestAnotherMeaningIsAnotherVersion(t *testing.T) {
	t.Parallel()
	base := "rules:\n  - {name: r, metric: m.utilization, match: {a: {in: [x, y]}, b: z}, group_by: [k, l], window: 5m, aggregate: avg, severity: warning, above: 80%, clear: 70%, for: 1m}\n"
	versions := map[string]string{compileText(t, base)["r"].Version: "as it is"}
	for _, change := range [][2]string{
		{"[x, y]", "[x]"},
		{"[x, y]", "[x, y, z]"},
		{"[x, y]", `["x, y"]`},
		{"{in: [x, y]}", "{regex: x.*}"},
		{"{in: [x, y]}", "{not_regex: x}"},
		{"{in: [x, y]}", "{exists: true}"},
		{"{in: [x, y]}", "{exists: false}"},
		{"b: z", "b: Z"},
		{"b: z", "resource: {b: z}"},
		{"[k, l]", "[k]"},
		{"[k, l]", "[k, l, resource]"},
		{"[k, l]", "[k, resource.l]"},
		{"[k, l]", "[]"},
		{"window: 5m", "window: 5m1s"},
		{"aggregate: avg", "aggregate: max"},
		{"above: 80%", "above: 81%"},
		{"above: 80%", "above: 80.01%"},
		{"above: 80%, clear: 70%", "above: 80, clear: 70"},
		{", clear: 70%", ""},
		{"clear: 70%", "clear: 71%"},
		{"for: 1m", "for: 61s"},
		{"warning", "critical"},
		{"m.utilization", "n.utilization"},
		{"name: r", "name: r, scale: 2"},
		{"name: r", "name: r, offset: 1"},
		{"name: r", "name: r, group_aggregate: sum"},
		{"name: r", "name: r, keep_firing_for: 1m"},
		{"name: r", "name: r, statistic: p99"},
		{"name: r", "name: r, only_if: {metric: m, above: 1}"},
		{"name: r", "name: r, only_if: {metric: m, above: 2}"},
	} {
		text := strings.Replace(base, change[0], change[1], 1)
		require.NotEqual(t, base, text)
		version := compileText(t, text)["r"].Version
		assert.Empty(t, versions[version], "%s", change)
		versions[version] = change[1]
	}
}

// The forms of a rule are spellings, too: a ladder, flat rules of one name in any order, and settings that a level has of the rule.
func TestFormsOfARuleAreSpellings(t *testing.T) {
	t.Parallel()
	var want *Rule
	for _, text := range []string{
		"- {name: r, metric: m, group_by: [a, b], match: {c: 1}, for: 1m, thresholds: {warning: {above: 1}, critical: {above: 2}}}",
		"- {name: r, metric: m, group_by: [a, b], match: {c: 1}, thresholds: {critical: {above: 2, for: 1m}, warning: {above: 1, for: 60s}}}",
		"- {name: r, metric: m, group_by: [a, b], match: {c: 1}, threshold: 1, severity: warning, for: 1m}\n- {name: r, metric: m, group_by: [b, a], match: {c: '1'}, above: 2, severity: critical, for: 1m}",
		"- {name: r, metric: m, group_by: [b, a], match: {c: '1'}, above: 2, severity: critical, for: 1m}\n- {name: r, metric: m, group_by: [a, b], match: {c: 1}, threshold: 1, severity: warning, for: 1m}",
	} {
		got := compileText(t, "rules:\n"+text)["r"]
		if want == nil {
			want = got
		}
		assert.Equal(t, want.Version, got.Version, text)
		assert.Equal(t, want.Selection, got.Selection, text)
	}
}
