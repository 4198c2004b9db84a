package rules

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"
)

// ignoredKey is a set of keys that mean nothing beside something else.
type ignoredKey struct {
	// beside names what makes the keys meaningless, where that is given.
	beside string
	given  func(*RuleConfig) bool
	keys   []string
	// why is what to do.
	why string
}

// ignoredKeys are the keys of a rule that mean nothing beside others. A key that nobody looks at is refused: who wrote it believes that it does
// something.
var ignoredKeys = []ignoredKey{
	{
		`beside "absent"`, func(rc *RuleConfig) bool { return rc.Absent != nil },
		[]string{"for"},
		`how long is said by "absent.for"`,
	},
	{
		`beside "absent"`, func(rc *RuleConfig) bool { return rc.Absent != nil },
		[]string{
			"aggregate", "clear", "full_window", "group_aggregate", "horizon", "hysteresis", "lookback", "min_samples", "new_series_delay",
			"no_data", "offset", "scale", "window",
		},
		"such a rule compares no value, but asks whether one comes",
	},
	{
		`beside "thresholds"`, func(rc *RuleConfig) bool { return len(rc.Thresholds) > 0 },
		[]string{"clear"},
		"write it into each of the levels",
	},
	{
		`where "group_by" does not have "resource"`, ownGroups,
		[]string{"identity"},
		"it is what the resource stands for in a group",
	},
	{
		`without "window"`, func(rc *RuleConfig) bool { return rc.Absent == nil && rc.Window == 0 && rc.Forecast == nil },
		[]string{"min_samples"},
		"only a window has several samples",
	},
	{
		`where every level has "clear"`, func(rc *RuleConfig) bool { return rc.Absent == nil && allClear(rc) },
		[]string{"hysteresis"},
		"it is for levels without",
	},
}

// ownGroups tells whether the groups of the rule are told by its group_by alone. A rule about silence has one group where it names none.
func ownGroups(rc *RuleConfig) bool {
	return (rc.GroupBy != nil || rc.Absent != nil) && !slices.Contains(rc.GroupBy, "resource")
}

// allClear tells whether every level of the rule has a clear bound.
func allClear(rc *RuleConfig) bool {
	if len(rc.Thresholds) == 0 {
		return rc.Clear != nil
	}
	for _, l := range rc.Thresholds {
		if l.Clear == nil {
			return false
		}
	}
	return true
}

// checkIgnoredKeys reports the keys of a rule that would be ignored.
func checkIgnoredKeys(rc *RuleConfig, report func(string, ...any)) {
	given := givenKeys(reflect.ValueOf(*rc))
	for _, row := range ignoredKeys {
		if !row.given(rc) {
			continue
		}
		for _, key := range row.keys {
			if slices.Contains(given, key) {
				report("%q means nothing %s: %s", key, row.beside, row.why)
			}
		}
	}
	if a := rc.Absent; a != nil && a.StartGrace != nil && !a.Expect && !a.lists() {
		report(`"absent.start_grace" means nothing without "absent.expect: true" or "absent.expected": what was never seen is not missed`)
	}
}

// givenKeys are the keys of a block that were given, those of embedded structs included. A plain number that was given as 0 can't be told from
// none.
func givenKeys(block reflect.Value) []string {
	var keys []string
	for i := range block.NumField() {
		key, options, _ := strings.Cut(block.Type().Field(i).Tag.Get("mapstructure"), ",")
		switch {
		case options == "squash":
			keys = append(keys, givenKeys(block.Field(i))...)
		case key != "" && !block.Field(i).IsZero():
			keys = append(keys, key)
		}
	}
	return keys
}

// doubtfulRule warns about what is probably not meant as it is written.
func (c *compiler) doubtfulRule(rc *RuleConfig, warn func(string, ...any)) {
	doubtfulMatch(rc.Match, "match.", warn)
	if rc.Ratio != nil {
		doubtfulMatch(rc.Ratio.Numerator.Match, "ratio.numerator.match.", warn)
		doubtfulMatch(rc.Ratio.Denominator.Match, "ratio.denominator.match.", warn)
	}
	if rc.OnlyIf != nil {
		doubtfulMatch(rc.OnlyIf.Match, "only_if.match.", warn)
	}
	c.doubtfulTexts(rc, warn)
	if limit := c.cfg.Limits.AlertsPerRule; rc.Top > limit {
		warn("top %d is beyond limits::alerts_per_rule, so that %d groups are announced at a time", rc.Top, limit)
	}
	if rc.Absent != nil {
		return
	}
	after, stale := c.cfg.Defaults.NoData.After, c.cfg.Defaults.StaleSeriesAfter
	own := rc.StaleSeriesAfter != nil
	if rc.NoData != nil && rc.NoData.After != 0 {
		after, own = rc.NoData.After, true
	}
	if rc.StaleSeriesAfter != nil {
		stale = *rc.StaleSeriesAfter
	}
	if own {
		doubtfulNoData(after, stale, warn)
	}
}

// fixedCondition is a template that puts a sign of its own in front of the threshold.
var fixedCondition = regexp.MustCompile(`(?:[<>≤≥]=?|\b(?:above|below|over|under)) *\{\{-? *(?:\w+ +)?\.Threshold`)

// doubtfulTexts warns about texts that say on the way down, too, that the value is beyond the threshold.
func (c *compiler) doubtfulTexts(rc *RuleConfig, warn func(string, ...any)) {
	check := func(key, text string) {
		if found := fixedCondition.FindString(text); found != "" {
			warn("%s: %q is not true of every record, for on the way down the value is on the other side: write {{ .Condition }}", key, found+" }}")
		}
	}
	check("message", rc.Message)
	for _, severity := range sortedKeys(rc.Thresholds) {
		check("thresholds."+severity+".message", rc.Thresholds[severity].Message)
	}
	for _, name := range sortedKeys(rc.Annotations) {
		check("annotations."+name, rc.Annotations[name])
	}
}

// doubtfulNoData warns about a policy for missing data that comes after the series is forgotten.
func doubtfulNoData(after, stale time.Duration, warn func(string, ...any)) {
	if after >= stale && stale > 0 {
		warn("no_data.after %s never comes: a series that is silent for stale_series_after, %s, is forgotten, and its alert resolved",
			FormatDuration(after), FormatDuration(stale))
	}
}
