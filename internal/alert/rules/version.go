package rules

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/window"
)

// The version and the selection of a rule stand in records and in stored alerts, so both are made of named fields, written as they
// always were: what a rule does not use must leave no trace in them, or every stored alert would be closed as one of a changed rule.

// ruleVersion returns the 8-hex version of a rule and the text of its selection.
func ruleVersion(r *Rule) (version, selection string) {
	selection = selectionText(r)
	var b strings.Builder
	fmt.Fprintf(&b, "%s|%d {%d %s}|%s %s", selection, r.Window, r.Aggregate.Kind, floatText(r.Aggregate.Quantile), floatText(r.Scale), floatText(r.Offset))
	b.WriteString(r.Kind.VersionText())
	writePoints(&b, r)
	if r.OnlyIf != nil {
		q := r.OnlyIf.Bound
		fmt.Fprintf(&b, "|only_if %q %s %s %s %s", r.OnlyIf.Metric, r.OnlyIf.Selector.canonical, q.Comparison, q.Raise[0].Text, q.Raise[1].Text)
	}
	if r.And != nil {
		b.WriteString("|and " + r.And.canonical())
	}
	for i := range r.Levels {
		l := &r.Levels[i]
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

// selectionText writes what decides which groups a rule has.
func selectionText(r *Rule) string {
	groupBy := make([]string, len(r.GroupBy))
	for i, f := range r.GroupBy {
		groupBy[i] = fmt.Sprintf("{%d %s}", f.Location, f.Key)
	}
	text := fmt.Sprintf("%q %s %t [%s] %d", r.Metric, r.Value.Selector.canonical, r.GroupGiven, strings.Join(groupBy, " "), r.GroupAggregate)
	if r.ByResource {
		text += " by resource"
	}
	return text + r.Kind.SelectionText()
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
