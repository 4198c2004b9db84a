package rules

import (
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
)

var updateCanonical = flag.Bool("update-canonical", false, "write testdata/rule_selections_canonical.json; only with the build whose selections it holds")

// spellings are matches, each in several ways that select the same.
var spellings = map[string][]map[string]any{
	"one text": {
		{"k": "p"},
		{"k": ops("in", []any{"p"})},
		{"k": ops("in", []any{"p", "p"})},
		{"k": ops("regex", "p")},
		{"k": ops("regex", "^p$")},
		{"k": ops("regex", "(?:p)")},
		{"k": ops("regex", "(p|p)")},
		{"k": ops("regex", "[p]")},
		{"k": ops("glob", "p")},
		{"k": ops("in", []any{"p", "q"}, "not_regex", "q")},
		{"k": ops("in", []any{"p"}, "exists", true)},
		{"k": "p", "resource": map[string]any{}, "scope": map[string]any{"x": map[string]any{}}},
	},
	"one number": {
		{"k": 7},
		{"k": "7"},
		{"k": 7.0},
		{"k": ops("in", []any{7, "7"})},
		{"k": ops("glob", "7")},
		{"k": ops("regex", "7")},
	},
	"two texts": {
		{"k": ops("in", []any{"p", "q"})},
		{"k": ops("in", []any{"q", "p", "q"})},
		{"k": ops("regex", "p|q")},
		{"k": ops("regex", "q|p")},
		{"k": ops("regex", "^(q|p)$")},
		{"k": ops("regex", "[pq]")},
		{"k": ops("regex", "[p-q]")},
		{"k": ops("regex", "^q|p$")},
	},
	"texts with a common part": {
		{"k": ops("in", []any{"sda", "sdb", "vda", "vdb"})},
		{"k": ops("regex", "sda|vda|sdb|vdb")},
		{"k": ops("regex", "(s|v)d[ab]")},
		{"k": ops("glob", "[sv]d[ab]")},
		{"k": ops("regex", "[sv]d(a|b)", "glob", "?d?")},
	},
	"optional parts": {
		{"k": ops("in", []any{"", "a", "ab"})},
		{"k": ops("regex", "(ab?)?")},
		{"k": ops("regex", "|a|ab")},
	},
	"a metacharacter": {
		{"k": "a.b"},
		{"k": ops("regex", `a\.b`)},
		{"k": ops("regex", `a[.]b`)},
		{"k": ops("glob", "a.b")},
	},
	"a beginning": {
		{"k": ops("regex", "sd.*")},
		{"k": ops("regex", "^sd.*$")},
		{"k": ops("regex", "sd.*?")},
		{"k": ops("regex", "(sd)(.*)")},
		{"k": ops("regex", `sd[\s\S]*`)},
		{"k": ops("glob", "sd*")},
		{"k": ops("glob", "sd**")},
		{"k": ops("glob", "sd*", "exists", true)},
		{"k": ops("glob", "sd*", "regex", "sd.*")},
	},
	"a beginning and more": {
		{"k": ops("regex", "sd.+")},
		{"k": ops("glob", "sd?*")},
		{"k": ops("glob", "sd*?")},
		{"k": ops("regex", "sd..*")},
		{"k": ops("regex", "sd.{1,}")},
	},
	"beginnings": {
		{"k": ops("regex", "sd.*|vd.*")},
		{"k": ops("regex", "(vd|sd).*")},
		{"k": ops("regex", "[sv]d.*")},
		{"k": ops("glob", "[sv]d*")},
		{"k": ops("regex", "^sd.*|^vd.*")},
	},
	"digits": {
		{"k": ops("regex", `eth\d+`)},
		{"k": ops("regex", `eth[0-9]+`)},
		{"k": ops("regex", `eth[0-9][0-9]*`)},
	},
	"all but one": {
		{"k": ops("not_regex", "x")},
		{"k": ops("not_regex", "^x$")},
		{"k": ops("not_regex", "[x]")},
	},
	"all but two": {
		{"k": ops("not_regex", "x|y")},
		{"k": ops("not_regex", "y|x")},
		{"k": ops("not_regex", "[xy]")},
	},
	"any": {
		{"k": ops("exists", true)},
		{"k": ops("regex", ".*")},
		{"k": ops("glob", "*")},
		{"k": ops("glob", "*", "exists", true)},
	},
	"none": {
		{"k": ops("exists", false)},
		{"k": ops("not_regex", ".*")},
		{"k": ops("exists", false, "not_regex", "x")},
	},
	"nothing asked": {nil, {}, {"k": map[string]any{}}, {"resource": map[string]any{}}},
	"of resource and scope": {
		{"resource": map[string]any{"host.name": "db1"}, "scope": map[string]any{"name": ops("regex", "otel.*"), "exists": true}},
		{"resource": map[string]any{"host.name": ops("in", []any{"db1"})}, "scope": map[string]any{"name": ops("glob", "otel*"), "exists": "true"}},
		{"resource": map[string]any{"host.name": ops("regex", "db[1]")}, "scope": map[string]any{"name": ops("regex", "(otel).*"), "exists": ops("in", []any{true})}},
	},
	"letters of either case": {
		{"k": ops("regex", "(?i)db.*")},
		{"k": ops("regex", "[dD][bB].*")},
		{"k": ops("regex", "(?i:DB).*")},
	},
}

// ops are operators and their values by turns.
func ops(pairs ...any) map[string]any {
	out := map[string]any{}
	for i := 0; i < len(pairs); i += 2 {
		out[pairs[i].(string)] = pairs[i+1]
	}
	return out
}

// matching compiles a rule with a match.
func matching(t *testing.T, match map[string]any) *Rule {
	t.Helper()
	cfg := DefaultConfig()
	cfg.Rules = []RuleConfig{{Name: "r", Metric: "m", Match: match, GroupBy: []string{"z", "a b", "resource.host.name"}, Threshold: 1, Severity: "warning"}}
	set, err := Compile(cfg)
	require.NoError(t, err, "%v", match)
	return set.Rules[0]
}

// Alerts that a build stored by the canonical form that it had are those of the rule in every spelling today, and of no other rule.
func TestSelectionsOfTheFormBefore(t *testing.T) {
	t.Parallel()
	path := filepath.Join("testdata", "rule_selections_canonical.json")
	if *updateCanonical {
		stored := map[string][]string{}
		for name, all := range spellings {
			for _, match := range all {
				stored[name] = append(stored[name], matching(t, match).Selection)
			}
		}
		text, err := json.MarshalIndent(stored, "", "\t")
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(path, append(text, '\n'), 0o600))
	}
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	var stored map[string][]string
	require.NoError(t, json.Unmarshal(text, &stored))
	for name, all := range spellings {
		for i, match := range all {
			r := matching(t, match)
			for other, selections := range stored {
				if name == "any" && other == "optional parts" {
					continue // For parts of values these patterns matched all, and so did a build before.
				}
				if other != name {
					selections = selections[:1]
				}
				for k, selection := range selections {
					assert.False(t, r.SelectedAs(selection[:len(selection)*(i+1)/(len(all)+1)]))
					assert.Equal(t, other == name, r.SelectedAs(selection), "%v (%s %d) and %s (%s %d)", match, name, i, selection, other, k)
				}
			}
		}
	}
}

// Each spelling of a match gives the one selection and the one version, and groups by the same attributes.
func TestSpellingsOfAMatch(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for name, all := range spellings {
		first := matching(t, all[0])
		assert.Empty(t, seen[first.Selection], name)
		seen[first.Selection] = name
		for _, match := range all {
			r := matching(t, match)
			assert.Equal(t, first.Selection, r.Selection, "%s: %v", name, match)
			assert.Equal(t, first.Version, r.Version, "%s: %v", name, match)
			assert.Equal(t, groupOf(t, all[0], nil), groupOf(t, match, nil), "%s: %v", name, match)
			expectSilence := func(rc *RuleConfig) { rc.Threshold, rc.Absent = nil, &AbsentConfig{For: time.Minute} }
			assert.Equal(t, groupOf(t, all[0], expectSilence), groupOf(t, match, expectSilence), "%s: %v", name, match)
		}
	}
}

// groupOf is the key of the group of a point in a rule without group_by.
func groupOf(t *testing.T, match map[string]any, edit func(*RuleConfig)) string {
	t.Helper()
	rc := RuleConfig{Name: "r", Metric: "m", Match: match, Threshold: 1, Severity: "warning"}
	if edit != nil {
		edit(&rc)
	}
	cfg := DefaultConfig()
	cfg.Rules = []RuleConfig{rc}
	set, err := Compile(cfg)
	require.NoError(t, err)
	r := set.Rules[0]
	o := &attr.Origin{Resource: []attr.Attr{attr.String("host.name", "db1")}, Scope: []attr.Attr{attr.String("name", "otel")}}
	return r.GroupKey(&r.Value, o, []attr.Attr{attr.String("k", "p"), attr.String("l", "x")})
}

// patternWriter writes random patterns, and each again in another way.
type patternWriter struct{ *rand.Rand }

// pair returns two patterns that match the same.
func (w patternWriter) pair(depth int) (a, b string) {
	kind := w.IntN(9)
	if depth == 0 {
		kind = w.IntN(3)
	}
	switch kind {
	case 0:
		r := string(rune('a' + w.IntN(3)))
		return r, []string{r, "[" + r + "]", "(?:" + r + ")", "(" + r + ")", r + "{1}", `\x{` + fmt.Sprintf("%x", r[0]) + "}"}[w.IntN(6)]
	case 1:
		return "[ab]", []string{"[ab]", "[ba]", "a|b", "(b|a)", "[a-b]"}[w.IntN(5)]
	case 2:
		return ".", []string{".", `[\s\S]`, ".{1}", "(.)"}[w.IntN(4)]
	case 3, 4:
		a1, b1 := w.pair(depth - 1)
		a2, b2 := w.pair(depth - 1)
		return "(?:" + a1 + ")(?:" + a2 + ")", "(" + b1 + ")(" + b2 + ")"
	case 5, 6:
		a1, b1 := w.pair(depth - 1)
		a2, b2 := w.pair(depth - 1)
		if w.IntN(2) == 0 {
			return "(?:" + a1 + "|" + a2 + ")", "(?:" + b2 + "|" + b1 + ")"
		}
		return "(?:" + a1 + "|" + a2 + ")", "(?:" + b1 + "|" + b2 + "|" + a1 + ")"
	case 7:
		a1, b1 := w.pair(depth - 1)
		return "(?:" + a1 + ")?", []string{"(?:" + b1 + ")??", "(?:" + b1 + "|)", "(|" + b1 + ")", "(" + b1 + "){0,1}"}[w.IntN(4)]
	default:
		a1, b1 := w.pair(min(depth-1, 1))
		return "(?:" + a1 + ")+", []string{"(?:" + b1 + ")+", "(?:" + b1 + ")(?:" + a1 + ")*", "(" + b1 + "){1,}"}[w.IntN(3)]
	}
}

// Whatever a pattern is, its one form matches what it matches, is its own one form, and is that of the pattern in other words.
func TestTheOneFormOfAPattern(t *testing.T) {
	t.Parallel()
	var texts []string
	for _, letters := range []string{"a", "b", "c", "x", "\n"} {
		for _, rest := range []string{"", "a", "b", "ab", "ba", "aab", "abab", "ccc"} {
			texts = append(texts, rest, letters+rest, rest+letters, letters+letters+rest)
		}
	}
	simple, unlike := 0, 0
	for seed := range uint64(1200) {
		w := patternWriter{rand.New(rand.NewPCG(3, seed))}
		a, b := w.pair(3)
		n := normalPatternOf(a)
		if strings.Contains(n.text, "(?s") { // Too many alternatives.
			continue
		}
		simple++
		before, err := anchored(a)
		require.NoError(t, err, a)
		after, err := anchored(n.text)
		require.NoError(t, err, n.text)
		for _, text := range texts {
			require.Equal(t, before.MatchString(text), after.MatchString(text), "%q: %s and %s", text, a, n.text)
			if n.values != nil {
				require.Equal(t, before.MatchString(text), slices.Contains(n.values, text), "%q: %s and %q", text, a, n.values)
			}
			if n.everything {
				require.True(t, before.MatchString(text), "%q: %s", text, a)
			}
		}
		require.Equal(t, n, normalPatternOf(n.text), "again: %s", a)
		if !assert.ObjectsAreEqual(n, normalPatternOf(b)) {
			unlike++ // Both are true, and a reload between them closes an alert.
		}
	}
	assert.LessOrEqual(t, unlike, 1, "patterns that match the same have two forms")
	assert.Greater(t, simple, 1000)
}
