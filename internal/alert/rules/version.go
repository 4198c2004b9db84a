package rules

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/window"
)

// The version and the selection of a rule stand in records and in stored alerts. They are made of what the rule means: order where it means
// nothing, the spelling of numbers and durations, quotes and defaults that are written out change neither. Named fields are written one by one,
// as they always were: what a rule does not use must leave no trace in them, or every stored alert would be closed as one of a changed rule.

// ruleVersion returns the 8-hex version of a rule and the text of its selection.
func ruleVersion(r *Rule) (version, selection string) {
	selection = selectionText(r)
	var b strings.Builder
	fmt.Fprintf(&b, "%s|%d {%d %s}|%s %s", selection, r.Window, r.Aggregate.Kind, floatText(r.Aggregate.Quantile), floatText(r.Scale), floatText(r.Offset))
	b.WriteString(r.Kind.VersionText())
	writePoints(&b, r)
	if r.OnlyIf != nil {
		bound := r.OnlyIf.Bound.canonical(shareOf(r.OnlyIf.Metric, ""))
		fmt.Fprintf(&b, "|only_if %q %s %s %s %s", r.OnlyIf.Metric, r.OnlyIf.Selector.canonical, bound.Comparison, bound.Raise[0].Text, bound.Raise[1].Text)
	}
	if r.And != nil {
		b.WriteString("|and " + r.And.canonical())
	}
	unit, _ := r.Kind.FixedUnit()
	for i := range r.Levels {
		l := r.Levels[i].canonical(shareOf(r.Metric, unit))
		fmt.Fprintf(&b, "|%s %s %s %s", l.Name, l.Comparison, l.Raise[0].Text, l.Raise[1].Text)
		fmt.Fprintf(&b, " %t %s %s %s %d %d %d", l.HasClear, l.Clear[0].Text, l.Clear[1].Text, floatText(l.Hysteresis), l.ForDuration, l.KeepFiringFor, l.Horizon)
		if n := l.ForSamples; n.Counts() {
			fmt.Fprintf(&b, " %d of %d", n.Breached, n.Of)
		}
	}
	if r.Threshold != nil {
		b.WriteString("|threshold " + r.Threshold.canonical)
	}
	if r.ThresholdsBy != nil {
		b.WriteString(r.ThresholdsBy.versionText())
	}
	sum := sha256.Sum256([]byte(b.String()))
	return hex.EncodeToString(sum[:4]), selection
}

// share tells whether a bare number and a percentage are spellings of one bound, and which of them versions have.
type share uint8

const (
	noShare share = iota
	shareInPercent
	shareInNumbers
)

// shareOf tells it of a metric, and of a kind's own unit.
func shareOf(metric, unit string) share {
	switch {
	case IsShare(metric):
		return shareInPercent
	case unit == "1":
		return shareInNumbers
	default:
		return noShare
	}
}

// canonical is the level with its bounds written in the one way in which versions have them.
func (s *LevelSpec) canonical(of share) LevelSpec {
	out := *s
	for _, q := range []*Quantity{&out.Raise[0], &out.Raise[1], &out.Clear[0], &out.Clear[1]} {
		q.Text = q.canonical(of)
	}
	if out.HasClear {
		out.Hysteresis = 0 // It is for levels without a bound to clear at.
	}
	return out
}

// canonical is the text of a bound that all its spellings have in common. A bound that is not there has none.
func (q *Quantity) canonical(of share) string {
	switch {
	case q.Moving != nil:
		return q.versionText()
	case q.Text == "":
		return ""
	case q.Unit == UnitBare && of == shareInPercent:
		return roundedText(q.Number*100) + "%"
	case q.Unit == UnitBare:
		return roundedText(q.Number)
	case q.Unit == UnitPercent && of == shareInNumbers:
		return roundedText(q.Number / 100)
	case q.Unit == UnitPercent:
		return roundedText(q.Number) + "%"
	case q.Unit == UnitBytes:
		return byteSizeText(q.Number)
	default:
		return roundedText(q.Number) + " {" + q.of.dimension + "}"
	}
}

// byteSizeText writes a number of bytes with the largest suffix with which it is whole, binary ones first.
func byteSizeText(n float64) string {
	suffix, factor := "B", 1.0
	for _, binary := range [...]bool{true, false} {
		for _, b := range byteSuffixes {
			isBinary := strings.Contains(b.suffix, "i")
			if isBinary == binary && b.factor > factor && n/b.factor == math.Trunc(n/b.factor) {
				suffix, factor = b.suffix, b.factor
			}
		}
		if factor > 1 {
			break
		}
	}
	return roundedText(n/factor) + suffix
}

// roundedText writes a number without what factors and divisions have left in its last digits.
func roundedText(f float64) string {
	if rounded, err := strconv.ParseFloat(strconv.FormatFloat(f, 'g', 15, 64), 64); err == nil {
		f = rounded
	}
	return floatText(f)
}

// selectionText writes what decides which groups a rule has.
func selectionText(r *Rule) string {
	return selectionOfFields(r, sortedFields(r))
}

// sortedFields are the rule's group_by in an order that does not depend on how it is written.
func sortedFields(r *Rule) []GroupField {
	fields := slices.Clone(r.GroupBy)
	slices.SortFunc(fields, func(a, b GroupField) int {
		return cmp.Or(cmp.Compare(a.Location, b.Location), cmp.Compare(a.Key, b.Key))
	})
	return fields
}

func selectionOfFields(r *Rule, fields []GroupField) string {
	return fmt.Sprintf("%q %s", r.Metric, r.Value.Selector.canonical) + groupingText(r, fields) + r.Kind.SelectionText()
}

// groupingText writes how a rule makes groups.
func groupingText(r *Rule, fields []GroupField) string {
	groupBy := make([]string, len(fields))
	for i, f := range fields {
		groupBy[i] = fmt.Sprintf("{%d %s}", f.Location, f.Key)
	}
	text := fmt.Sprintf(" %t [%s] %d", r.GroupGiven, strings.Join(groupBy, " "), r.GroupAggregate)
	if r.ByResource {
		text += " by resource"
	}
	if r.Identity != nil && (r.ByResource || !r.GroupGiven) {
		text += fmt.Sprintf(" identity %q", r.Identity)
	}
	return text
}

// GroupsAs tells whether a stored selection of a rule without a second metric makes groups as the rule does.
func (r *Rule) GroupsAs(stored string) bool {
	return strings.HasSuffix(stored, groupingText(r, sortedFields(r)))
}

// SelectsPinned tells whether a stored selection is that of a rule about silence that has one group.
func SelectsPinned(stored string) bool {
	pinned := Rule{GroupGiven: true}
	return strings.HasSuffix(stored, groupingText(&pinned, nil))
}

// SelectsByResource tells whether the groups of a stored selection are distinguished by their resource: there is no group_by, or it names the resource.
func SelectsByResource(stored string) bool {
	given := strings.LastIndex(stored, " true [")
	return given < strings.LastIndex(stored, " false [") || strings.Contains(stored[max(given, 0):], " by resource")
}

// writePoints writes which value of histogram and summary points the rule's selectors take. The names are those that the keys had
// when versions were first stored.
func writePoints(b *strings.Builder, r *Rule) {
	write := func(key string, t *Target) {
		if t.Statistic.Kind != window.StatisticNone {
			fmt.Fprintf(b, "|%s %s", key, t.Statistic)
		}
	}
	for _, in := range r.Kind.Inputs() {
		write(in.versionKey, in.Target)
	}
	if r.OnlyIf != nil {
		write("only_if.point", &r.OnlyIf.Target)
	}
}

func floatText(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }

// matchText writes a match map as Go would, with keys in order: stored selections have it in that form.
func matchText(match map[string]any) string {
	var b strings.Builder
	writeMatch(&b, match)
	return b.String()
}

func writeMatch(b *strings.Builder, v any) {
	switch x := v.(type) {
	case map[string]any:
		b.WriteString("map[string]interface {}")
		if x == nil {
			b.WriteString("(nil)")
			return
		}
		b.WriteByte('{')
		for i, key := range sortedKeys(x) {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(strconv.Quote(key) + ":")
			writeMatch(b, x[key])
		}
		b.WriteByte('}')
	case []any:
		b.WriteString("[]interface {}{")
		for i, item := range x {
			if i > 0 {
				b.WriteString(", ")
			}
			writeMatch(b, item)
		}
		b.WriteByte('}')
	case string:
		b.WriteString(strconv.Quote(x))
	case float64:
		b.WriteString(floatText(x))
	default: // Integers and truth values; compileMatchers has refused all else.
		fmt.Fprint(b, x)
	}
}
