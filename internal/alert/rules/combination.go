package rules

import "slices"

// block is a part of a rule's configuration that not every other goes with.
type block struct {
	key   string
	given func(*RuleConfig) bool
}

// blocks are the kinds of rules by the key of their block, and what else may stand beside these.
var blocks = []block{
	{"ratio", func(rc *RuleConfig) bool { return rc.Ratio != nil }},
	{"forecast", func(rc *RuleConfig) bool { return rc.Forecast != nil }},
	{"change", func(rc *RuleConfig) bool { return rc.Change != nil }},
	{"absent", func(rc *RuleConfig) bool { return rc.Absent != nil }},
	{"only_if", func(rc *RuleConfig) bool { return rc.OnlyIf != nil }},
	{"for_samples", func(rc *RuleConfig) bool {
		given := rc.ForSamples != nil
		for _, l := range rc.Thresholds {
			given = given || l.ForSamples != nil
		}
		return given
	}},
}

// exclusions are the pairs of blocks that mean nothing together, with what to do instead where that is not plain. All others go together.
var exclusions = []struct{ a, b, instead string }{
	{"forecast", "ratio", ""},
	{"forecast", "change", ""},
	{"absent", "forecast", ""},
	{"absent", "ratio", ""},
	{"absent", "change", ""},
	{"absent", "only_if", ""},
	{"absent", "for_samples", ": nothing comes that could be counted"},
}

// checkCombination reports the blocks of a rule that exclude each other.
func checkCombination(rc *RuleConfig, report func(string, ...any)) {
	given := func(key string) bool {
		return slices.ContainsFunc(blocks, func(b block) bool { return b.key == key && b.given(rc) })
	}
	for _, x := range exclusions {
		if given(x.a) && given(x.b) {
			report("%q and %q exclude each other%s", x.a, x.b, x.instead)
		}
	}
}
