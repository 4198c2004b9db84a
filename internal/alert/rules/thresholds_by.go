package rules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/suggest"
)

// ThresholdsByConfig gives groups thresholds of their own, by the value of an attribute.
type ThresholdsByConfig struct {
	// Attribute is one of the group's, "resource." in front for one of the resource.
	Attribute string `mapstructure:"attribute"`
	// Groups are asked in order; the first that matches counts. Groups that none matches have the rule's thresholds.
	Groups []GroupThresholdsConfig `mapstructure:"groups"`
}

// GroupThresholdsConfig are the thresholds of groups.
type GroupThresholdsConfig struct {
	// Match is a value of the attribute, or an operator as in RuleConfig.Match.
	Match any `mapstructure:"match"`
	// Thresholds has, by severity, a bound in the rule's comparison, "off", or a map with the bound and clear. What is not in it is as in
	// the rule. The text "off" alone turns all levels off.
	Thresholds any `mapstructure:"thresholds"`
}

// ThresholdTable is a compiled ThresholdsByConfig.
type ThresholdTable struct {
	// Attribute is what groups are distinguished by.
	Attribute GroupField
	// Entries are asked in order.
	Entries []GroupThresholds
}

// GroupThresholds is the ladder of the groups that match.
type GroupThresholds struct {
	match []matcher
	// Levels is the ladder, with as many levels as the rule's.
	Levels []LevelSpec
	// canonical is the match as text.
	canonical string
}

// maxGroupThresholds bounds the table, which is gone through once for each group.
const maxGroupThresholds = 256

// Find returns the place of the first entry for an attribute's value, -1 for none.
func (t *ThresholdTable) Find(v attr.Value, there bool) int {
	return slices.IndexFunc(t.Entries, func(e GroupThresholds) bool { return e.matches(v, there) })
}

func (e *GroupThresholds) matches(v attr.Value, there bool) bool {
	for i := range e.match {
		if !e.match[i].matchesValue(v, there) {
			return false
		}
	}
	return true
}

// compileThresholdsBy compiles the table of a rule whose ladder is complete.
func (c *compiler) compileThresholdsBy(d *draft) {
	tc, r := d.config.ThresholdsBy, d.rule
	if tc == nil {
		return
	}
	report := func(format string, args ...any) { d.report("thresholds_by: "+format, args...) }
	t := &ThresholdTable{Attribute: parseField(tc.Attribute)}
	switch {
	case tc.Attribute == "":
		report("attribute is required")
		return
	case len(tc.Groups) == 0 || len(tc.Groups) > maxGroupThresholds:
		report("groups: expected 1 to %d, got %d", maxGroupThresholds, len(tc.Groups))
		return
	case len(r.Levels) > 0 && !r.Levels[0].Comparison.HasBounds():
		report("the rule compares nothing")
		return
	}
	if why := r.lacksInGroups(t.Attribute); why != "" {
		report("%s %s, so no group has a value of it", tc.Attribute, why)
		return
	}
	before := len(c.problems.errs)
	for i, gc := range tc.Groups {
		c.compileGroupThresholds(t, tc.Attribute, gc, r, func(format string, args ...any) {
			report("groups[%d]: %w", i, fmt.Errorf(format, args...))
		})
	}
	if len(c.problems.errs) == before {
		r.ThresholdsBy = t
	}
}

// lacksInGroups says why the attribute has no value in the rule's groups, "" when it may have one.
func (r *Rule) lacksInGroups(f GroupField) string {
	switch {
	case slices.Contains(r.GroupBy, f) || f.Location == attr.InResource && (r.ByResource || !r.GroupGiven):
		return ""
	case r.GroupGiven:
		return "is not in group_by"
	case f.Location == attr.InScope || r.Joins:
		return "is no part of the group: name it in group_by"
	case r.Value.Selector.pins(f.Key):
		return "has one value by match"
	default:
		return ""
	}
}

func (c *compiler) compileGroupThresholds(t *ThresholdTable, attribute string, gc GroupThresholdsConfig, r *Rule, report func(string, ...any)) {
	if gc.Match == nil {
		report("match is required")
		return
	}
	before := len(c.problems.errs)
	match := map[string]any{attribute: gc.Match}
	e := GroupThresholds{match: normalTests(compileMatchers(match, "match of ", report))}
	e.canonical = matchText(testsMap(e.match))
	if len(c.problems.errs) > before {
		return
	}
	if why := t.unreachable(&e, r); why != "" {
		report("match %v can't match: %s", gc.Match, why)
	}
	e.Levels = c.groupLevels(gc.Thresholds, r, report)
	t.Entries = append(t.Entries, e)
}

// unreachable says why no group comes to the entry, "" when one may.
func (t *ThresholdTable) unreachable(e *GroupThresholds, r *Rule) string {
	for i := range t.Entries {
		if t.Entries[i].canonical == e.canonical {
			return fmt.Sprintf("groups[%d] is the same", i)
		}
		if t.Entries[i].matchesAll() {
			return fmt.Sprintf("groups[%d] matches everything", i)
		}
	}
	values, listed := e.values()
	if !listed {
		return ""
	}
	why := "it lists no value"
	for _, text := range values {
		v := attr.StringValue(text)
		if i := t.Find(v, true); i >= 0 {
			why = fmt.Sprintf("groups[%d] comes before it", i)
			continue
		}
		if !r.Value.Selector.mayBe(t.Attribute, v) {
			why = "match of the rule leaves it out"
			continue
		}
		return ""
	}
	return why
}

// values are the only values that the entry can match, where they are listed.
func (e *GroupThresholds) values() (values []string, listed bool) {
	for i := range e.match {
		switch m := &e.match[i]; m.op {
		case opExact:
			return []string{m.text}, true
		case opIn:
			return m.in, true
		default:
		}
	}
	return nil, false
}

// matchesAll tells whether every value that is there matches.
func (e *GroupThresholds) matchesAll() bool {
	for i := range e.match {
		if e.match[i].op != opExists {
			return false
		}
	}
	return true
}

// mayBe tells whether points with that value of the attribute are among those that the selector selects.
func (s *Selector) mayBe(f GroupField, v attr.Value) bool {
	for _, m := range [...][]matcher{attr.InPoint: s.point, attr.InResource: s.resource, attr.InScope: s.scope}[f.Location] {
		if m.key == f.Key && !m.matchesValue(v, true) {
			return false
		}
	}
	return true
}

// groupLevels is the rule's ladder with the thresholds of an entry.
func (c *compiler) groupLevels(v any, r *Rule, report func(string, ...any)) []LevelSpec {
	levels := slices.Clone(r.Levels)
	if isOff(v) {
		for i := range levels {
			levels[i].turnOff()
		}
		return levels
	}
	own, ok := v.(map[string]any)
	if !ok || len(own) == 0 {
		report(`thresholds: expected thresholds by severity, or "off", got %v`, v)
		return levels
	}
	names := make([]string, len(levels))
	for i := range levels {
		names[i] = levels[i].Name
	}
	for _, name := range sortedKeys(own) {
		i := slices.Index(names, name)
		if i < 0 {
			report("thresholds: the rule has no level %q %s", name, suggest.DidYouMean(name, names))
			continue
		}
		if isOff(own[name]) {
			levels[i].turnOff()
			continue
		}
		if err := levels[i].replaceBounds(own[name]); err != nil {
			report("%w", err)
		}
	}
	on := slices.DeleteFunc(slices.Clone(levels), func(l LevelSpec) bool { return l.Off })
	checkLadder(on, report)
	return levels
}

// isOff reads "off", which some readers of YAML take for false.
func isOff(v any) bool { return v == "off" || v == false }

func (s *LevelSpec) turnOff() {
	s.Off, s.HasClear, s.Raise, s.Clear, s.source = true, false, [2]Quantity{{Text: "off"}}, [2]Quantity{}, nil
}

// replaceBounds sets other bounds of the same comparison. Without a clear of its own the level clears as far from the bound as the rule's.
func (s *LevelSpec) replaceBounds(v any) error {
	before := *s
	block, isMap := v.(map[string]any)
	key := s.Comparison.String()
	if !isMap || block[key] == nil {
		if isMap && (block["metric"] == nil && block["attribute"] == nil) {
			return fmt.Errorf("level %s: expected %q, as the rule has it, and clear", s.Name, key)
		}
		block = map[string]any{key: v}
	}
	for k := range block {
		if k != key && k != "clear" {
			return fmt.Errorf("level %s: %q can't be set for a group: expected %q and clear", s.Name, k, key)
		}
	}
	s.source, s.HasClear, s.Clear = nil, false, [2]Quantity{}
	var err error
	if s.Raise, err = s.parseBounds(block[key]); err != nil {
		return err
	}
	if block["clear"] != nil {
		s.HasClear = true
		if s.Clear, err = s.parseBounds(block["clear"]); err != nil {
			return fmt.Errorf("clear: %w", err)
		}
		return s.checkClear()
	}
	if !before.HasClear {
		return nil
	}
	for i := range s.Raise {
		if !s.Raise[i].sameUnit(before.Raise[i]) || s.Raise[i].Moving != nil || before.Raise[i].Moving != nil {
			return fmt.Errorf("level %s: write clear, too: that of the rule, %s, is at no known distance", s.Name, before.Clear[0].Text)
		}
		s.Clear[i] = s.Raise[i]
		s.Clear[i].Number, s.Clear[i].Text = s.Raise[i].Number+(before.Clear[i].Number-before.Raise[i].Number), ""
	}
	s.HasClear = true
	return nil
}

// versionText is what the table adds to the rule's version.
func (t *ThresholdTable) versionText() string {
	var b strings.Builder
	fmt.Fprintf(&b, "|thresholds_by {%d %s}", t.Attribute.Location, t.Attribute.Key)
	for i := range t.Entries {
		e := &t.Entries[i]
		b.WriteString(" [" + e.canonical)
		for k := range e.Levels {
			l := &e.Levels[k]
			fmt.Fprintf(&b, " %s %t", l.Name, l.Off)
			for _, q := range append(l.Raise[:], l.Clear[:]...) {
				b.WriteString(" " + q.versionText())
			}
		}
		b.WriteByte(']')
	}
	return b.String()
}

// versionText is the quantity as rule versions of tables have it: what it means, however it is written.
func (q Quantity) versionText() string {
	if q.Moving != nil {
		return floatText(q.Moving.Scale) + "x+" + floatText(q.Moving.Offset)
	}
	return fmt.Sprintf("%s/%d", floatText(q.Number), q.Unit)
}
